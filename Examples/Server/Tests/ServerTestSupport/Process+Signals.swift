// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Process {
    /// Runs the program with no signal blocked.
    ///
    /// Threads that run tasks block nearly all signals. On Linux a program inherits this from the thread that starts it, so it
    /// would not receive SIGTERM, and a shell would wait for its children forever.
    func runHearingSignals() throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}
