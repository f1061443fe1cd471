/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests of this library. Each thread is an event loop with one request, and sleeps in a read of an eventfd, as loops
 * do that other threads wake. What the loop does itself wakes it without a call of the system.
 */
#include "contender.h"
#include "filled_pool.h"

#include <burstpool/bp_callback.h>

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    bp_driver *driver;
    pthread_t thread;
    int event;
    bool has_posted; /* The loop itself has posted. */
    bool is_done;    /* The request has been completed. */
    bool has_ended;
} loop;

/* All connections are open already, and stay so. */
static void open_nothing(bp_driver *driver, bp_lease permit, void *element) {
    (void)element;
    require(bp_driver_finish_open(driver, permit, 0));
}

static void close_nothing(bp_driver *driver, bp_lease lease, void *element) {
    (void)element;
    require(bp_driver_finish_close(driver, lease));
}

static void wake(bp_driver *driver) {
    loop *self = bp_driver_data(driver);
    if (pthread_equal(self->thread, pthread_self())) {
        self->has_posted = true;
    } else {
        eventfd_write(self->event, 1);
    }
}

/* No request has a deadline. */
static void set_no_timer(bp_driver *driver, uint64_t nanoseconds) {
    (void)driver;
    (void)nanoseconds;
}

static void note_done(bp_request *request) {
    ((loop *)request->data)->is_done = true;
}

static void note_ended(void *data) {
    ((loop *)data)->has_ended = true;
}

/* Submits the request, and runs the loop until it is completed. */
static inline __attribute__((always_inline)) bool acquire_by(loop *self, bp_request *request) {
    self->is_done = false;
    require(bp_request_submit(request, self->driver, BP_NO_DEADLINE));
    while (!self->is_done) {
        if (!self->has_posted) {
            eventfd_t count;
            eventfd_read(self->event, &count);
        }
        self->has_posted = false;
        bp_driver_run(self->driver);
    }
    return request->status == BP_OK;
}

static void work(void *pool, turn_part *part) {
    const bp_driver_functions functions = {
        .open = open_nothing, .close = close_nothing, .post = wake, .arm = set_no_timer};
    loop self = {.thread = pthread_self(), .event = eventfd(0, EFD_CLOEXEC)};
    bp_request request;
    require(bp_driver_create(pool, &functions, &self, &self.driver));
    bp_request_init(&request, note_done, &self);
    WORK(part, acquire_by(&self, &request) && (element = bp_element(pool, request.lease)) != NULL,
         require(bp_driver_release(self.driver, request.lease)));
    require(bp_driver_close(self.driver, note_ended));
    while (!self.has_ended) {
        bp_driver_run(self.driver);
        sched_yield();
    }
    close(self.event);
}

const contender callback_request = {"bp_request_submit, bp_driver_release", create_filled, work, destroy_filled};
