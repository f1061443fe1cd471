/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Waits for many sockets in one thread: epoll on Linux, kqueue elsewhere.
 *
 * A socket is reported once, when it becomes ready, and not for as long as it is ready ("edge-triggered"). So no system
 * call is needed between two statements on a connection. A task that waits for a socket must therefore read all bytes
 * that have arrived before it waits again.
 */
#ifndef CLIBPQ_POLLER_H
#define CLIBPQ_POLLER_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    uint64_t token; /* The token that was passed to clibpq_poller_add(), or 0 for clibpq_poller_wake_up(). */
    int is_closed;  /* 1 if the peer has closed its side, or the socket has failed. */
} clibpq_event;

#define CLIBPQ_POLLER_BATCH 64

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>

typedef struct {
    int descriptor;
    int wake_up;
} clibpq_poller;

/* Returns 0, or -1 with errno set. */
static inline int clibpq_poller_open(clibpq_poller *poller) {
    poller->descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (poller->descriptor < 0)
        return -1;
    poller->wake_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = 0}};
    if (poller->wake_up >= 0 && epoll_ctl(poller->descriptor, EPOLL_CTL_ADD, poller->wake_up, &event) == 0)
        return 0;
    int error = errno;
    if (poller->wake_up >= 0)
        close(poller->wake_up);
    close(poller->descriptor);
    errno = error;
    return -1;
}

static inline int clibpq_poller_control(clibpq_poller poller, int operation, int socket, uint64_t token, int writes) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.u64 = token}};
    if (writes)
        event.events |= EPOLLOUT;
    return epoll_ctl(poller.descriptor, operation, socket, &event);
}

static inline int clibpq_poller_add(clibpq_poller poller, int socket, uint64_t token) {
    return clibpq_poller_control(poller, EPOLL_CTL_ADD, socket, token, 0);
}

/* Chooses whether the poller also reports when the socket can be written to. */
static inline int clibpq_poller_set_writes(clibpq_poller poller, int socket, uint64_t token, int writes) {
    return clibpq_poller_control(poller, EPOLL_CTL_MOD, socket, token, writes);
}

static inline void clibpq_poller_remove(clibpq_poller poller, int socket) {
    struct epoll_event ignored = {0};
    epoll_ctl(poller.descriptor, EPOLL_CTL_DEL, socket, &ignored);
}

static inline void clibpq_poller_wake_up(clibpq_poller poller) {
    uint64_t one = 1;
    (void)!write(poller.wake_up, &one, sizeof one);
}

/*
 * Waits for up to `milliseconds`, or without limit if that is negative. Returns the number of events, at most
 * CLIBPQ_POLLER_BATCH, for which `events` must have room. Returns 0 on errors.
 */
static inline int clibpq_poller_wait(clibpq_poller poller, clibpq_event *events, int milliseconds) {
    struct epoll_event found[CLIBPQ_POLLER_BATCH];
    int count = epoll_wait(poller.descriptor, found, CLIBPQ_POLLER_BATCH, milliseconds);
    for (int i = 0; i < count; i++) {
        events[i].token = found[i].data.u64;
        events[i].is_closed = (found[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (events[i].token == 0) {
            uint64_t ignored;
            (void)!read(poller.wake_up, &ignored, sizeof ignored);
        }
    }
    return count < 0 ? 0 : count;
}

#else

#include <sys/event.h>
#include <sys/time.h>

typedef struct {
    int descriptor;
} clibpq_poller;

static inline int clibpq_poller_open(clibpq_poller *poller) {
    poller->descriptor = kqueue();
    if (poller->descriptor < 0)
        return -1;
    struct kevent change;
    EV_SET(&change, 0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, (void *)0);
    if (kevent(poller->descriptor, &change, 1, (void *)0, 0, (void *)0) == 0)
        return 0;
    int error = errno;
    close(poller->descriptor);
    errno = error;
    return -1;
}

static inline int clibpq_poller_add(clibpq_poller poller, int socket, uint64_t token) {
    struct kevent change;
    EV_SET(&change, socket, EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0, (void *)(uintptr_t)token);
    return kevent(poller.descriptor, &change, 1, (void *)0, 0, (void *)0);
}

static inline int clibpq_poller_set_writes(clibpq_poller poller, int socket, uint64_t token, int writes) {
    struct kevent change;
    EV_SET(&change, socket, EVFILT_WRITE, writes ? EV_ADD | EV_CLEAR : EV_DELETE, 0, 0, (void *)(uintptr_t)token);
    return kevent(poller.descriptor, &change, 1, (void *)0, 0, (void *)0);
}

static inline void clibpq_poller_remove(clibpq_poller poller, int socket) {
    struct kevent change;
    EV_SET(&change, socket, EVFILT_READ, EV_DELETE, 0, 0, (void *)0);
    kevent(poller.descriptor, &change, 1, (void *)0, 0, (void *)0);
    EV_SET(&change, socket, EVFILT_WRITE, EV_DELETE, 0, 0, (void *)0);
    kevent(poller.descriptor, &change, 1, (void *)0, 0, (void *)0);
}

static inline void clibpq_poller_wake_up(clibpq_poller poller) {
    struct kevent change;
    EV_SET(&change, 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, (void *)0);
    kevent(poller.descriptor, &change, 1, (void *)0, 0, (void *)0);
}

static inline int clibpq_poller_wait(clibpq_poller poller, clibpq_event *events, int milliseconds) {
    struct kevent found[CLIBPQ_POLLER_BATCH];
    struct timespec limit = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    int count =
        kevent(poller.descriptor, (void *)0, 0, found, CLIBPQ_POLLER_BATCH, milliseconds < 0 ? (void *)0 : &limit);
    for (int i = 0; i < count; i++) {
        events[i].token = found[i].filter == EVFILT_USER ? 0 : (uint64_t)(uintptr_t)found[i].udata;
        events[i].is_closed = found[i].filter == EVFILT_READ && (found[i].flags & EV_EOF) != 0;
    }
    return count < 0 ? 0 : count;
}

#endif

/* Returns whether a read from the socket would return at once. */
static inline int clibpq_is_readable(int socket) {
    struct pollfd descriptor = {.fd = socket, .events = POLLIN, .revents = 0};
    return poll(&descriptor, 1, 0) > 0;
}

/* Waits up to `milliseconds` until the socket can be read from, or written to. Returns 0 when that time has passed. */
static inline int clibpq_wait(int socket, int writes, int milliseconds) {
    struct pollfd descriptor = {.fd = socket, .events = writes ? POLLOUT : POLLIN, .revents = 0};
    return poll(&descriptor, 1, milliseconds) > 0;
}

/*
 * Shuts the socket down in both directions, and makes its last close reset the connection. The descriptor stays open.
 *
 * Without the reset, a server that is sending more than this side has read would wait for minutes until it can send the
 * rest, and keep its transaction and its locks meanwhile. The reason is that a socket that was shut down does not tell
 * the peer when its receive buffer has room again, and that its close resets the connection only if bytes are unread.
 */
static inline void clibpq_sever(int socket) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    shutdown(socket, SHUT_RDWR);
}

/* Returns a further descriptor for the same socket, or -1 with errno set. */
static inline int clibpq_duplicate(int socket) {
    return fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

static inline void clibpq_close(int descriptor) {
    close(descriptor);
}

static inline int clibpq_processor_count(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

/* Returns the message for the present errno of this thread. */
static inline const char *clibpq_last_error(void) {
    return strerror(errno);
}

#endif
