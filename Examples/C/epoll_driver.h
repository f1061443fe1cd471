/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A driver for epoll: connections that are opened without blocking, one letter that is sent and received, and a loop.
 * The element of each slot is a connection. While it is idle, it is in no epoll set, so any loop or thread can use it.
 */
#ifndef EPOLL_DRIVER_H
#define EPOLL_DRIVER_H

#include <CBurstPool.h>

#include "echo_server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

typedef struct job job;

typedef struct {
    int fd;
    bp_lease lease;
    job *job; /* NULL while the connection is being opened. */
} connection;

typedef struct {
    struct sockaddr_in server;
    bp_driver *driver;
    int epoll, wakeup; /* The wakeup is an eventfd, which is registered with NULL. */
    int timeout;       /* In milliseconds; -1: none. */
    bool has_ended;
} loop;

/* A letter to send. Called back with the answer, or with a status that is not BP_OK. */
struct job {
    bp_request request;
    loop *loop;
    char letter;
    void (*answered)(job *job, bp_status status, char answer);
};

static void watch(loop *loop, connection *it, uint32_t events) {
    struct epoll_event event = {events, {.ptr = it}};
    check(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, it->fd, &event) == 0, "a socket is watched");
}

/* The four functions of the driver. */

static void on_open(bp_driver *driver, bp_lease permit, void *element) {
    loop *loop = bp_driver_data(driver);
    connection *it = element;
    *it = (connection){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), permit, NULL};
    connect(it->fd, (struct sockaddr *)&loop->server, sizeof loop->server);
    watch(loop, it, EPOLLOUT);
}

static void on_close(bp_driver *driver, bp_lease lease, void *element) {
    close(((connection *)element)->fd);
    bp_driver_finish_close(driver, lease);
}

static void on_post(bp_driver *driver) {
    uint64_t one = 1;
    check(write(((loop *)bp_driver_data(driver))->wakeup, &one, sizeof one) == sizeof one, "the loop is woken");
}

static void on_arm(bp_driver *driver, uint64_t nanoseconds) {
    uint64_t milliseconds = nanoseconds / 1000000 + 1;
    int timeout = milliseconds < INT32_MAX ? (int)milliseconds : INT32_MAX; /* A timer that fires early does no harm. */
    ((loop *)bp_driver_data(driver))->timeout = nanoseconds == BP_NO_DEADLINE ? -1 : timeout;
}

static void on_ended(void *data) {
    ((loop *)data)->has_ended = true;
}

/* Something has happened to a socket. */
static void on_ready(loop *loop, connection *it) {
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, it->fd, NULL);
    if (it->job == NULL) {
        int error, fd = it->fd;
        socklen_t size = sizeof error;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        bp_driver_finish_open(loop->driver, it->lease, error);
        if (error != 0) {
            close(fd);
        }
        return;
    }
    job *job = it->job;
    char answer = 0;
    bool is_alive = read(it->fd, &answer, 1) == 1;
    (is_alive ? bp_driver_release : bp_driver_discard)(loop->driver, it->lease);
    job->answered(job, BP_OK, answer);
}

static void on_acquired(bp_request *request) {
    job *job = request->data;
    if (request->status != BP_OK) {
        job->answered(job, request->status, 0);
        return;
    }
    connection *it = bp_element(bp_driver_pool(job->loop->driver), request->lease);
    it->lease = request->lease;
    it->job = job;
    check(write(it->fd, &job->letter, 1) == 1, "a letter is sent");
    watch(job->loop, it, EPOLLIN);
}

static void send_letter(job *it, uint64_t timeout) {
    bp_request_init(&it->request, on_acquired, it);
    check(bp_request_submit(&it->request, it->loop->driver, timeout) == BP_OK, "a request");
}

static void loop_create(loop *it, bp_pool *pool, struct sockaddr_in server) {
    static const bp_driver_functions functions = {.open = on_open, .close = on_close, .post = on_post, .arm = on_arm};
    *it = (loop){server, NULL, epoll_create1(EPOLL_CLOEXEC), eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), -1, false};
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    check(epoll_ctl(it->epoll, EPOLL_CTL_ADD, it->wakeup, &event) == 0, "the loop can be woken");
    check(bp_driver_create(pool, &functions, it, &it->driver) == BP_OK, "a driver");
}

/* Waits for something to do, and does it. */
static void loop_turn(loop *it) {
    struct epoll_event events[16];
    int count = epoll_wait(it->epoll, events, 16, it->timeout);
    it->timeout = -1;
    for (int i = 0; i < count; i++) {
        uint64_t posts;
        if (events[i].data.ptr != NULL) {
            on_ready(it, events[i].data.ptr);
        } else {
            check(read(it->wakeup, &posts, sizeof posts) == sizeof posts, "the loop was woken");
        }
    }
    bp_driver_run(it->driver);
}

/* Shuts the pool down, and runs until this loop has nothing more to do with it. */
static void loop_end(loop *it) {
    check(bp_driver_shutdown(it->driver, on_ended) == BP_OK, "the end begins");
    while (!it->has_ended) {
        loop_turn(it);
    }
    close(it->epoll);
    close(it->wakeup);
}

#endif
