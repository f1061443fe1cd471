/* SPDX-License-Identifier: Apache-2.0 */

/* Asking the server to cancel a statement. */
#ifndef CLIBPQ_CANCEL_H
#define CLIBPQ_CANCEL_H

#include <pthread.h>
#include <signal.h>

/*
 * Calls PQcancel(), ignores its result, and prevents that SIGPIPE ends the process.
 *
 * PQcancel() writes to its connection without MSG_NOSIGNAL. If the server has closed that connection already, the write
 * raises SIGPIPE. So this function blocks the signal meanwhile, and takes it if it has become pending.
 */
static inline void clibpq_cancel(PGcancel *cancel) {
    char reason[256];
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    sigpending(&pending);
    int was_pending = sigismember(&pending, SIGPIPE);
    PQcancel(cancel, reason, sizeof reason);
    sigpending(&pending);
    if (!was_pending && sigismember(&pending, SIGPIPE)) {
        int taken;
        sigwait(&pipe_signal, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
}

#endif
