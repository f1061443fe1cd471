/* SPDX-License-Identifier: Apache-2.0 */

/* Putting one thread to sleep until another thread wakes it. The interleaving explorer has its own. */
#ifndef BP_PARKING_H
#define BP_PARKING_H

#if defined(BP_PARKING_HEADER)
#include BP_PARKING_HEADER
#else

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Pauses the thread for this number of nanoseconds, or until it handles a signal. A cancellation point. */
static inline void bp__pause(uint64_t nanoseconds) {
    struct timespec duration = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    nanosleep(&duration, NULL);
}

/* Returns the time of the system's monotonic clock in nanoseconds. */
static inline uint64_t bp__now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * With a parking, one thread waits for one post of another thread. A post before the wait is not lost, and what the
 * posting thread wrote before is visible after the wait. A wait returns false when the timeout, in nanoseconds, has
 * passed. A timeout above INT64_MAX never passes.
 */
#if defined(__APPLE__)
#include <dispatch/dispatch.h>

typedef dispatch_semaphore_t bp_parking;

static inline bool bp__parking_create(bp_parking *parking) {
    *parking = dispatch_semaphore_create(0);
    return *parking != NULL;
}

static inline void bp__parking_destroy(bp_parking *parking) {
    dispatch_release(*parking);
}

static inline void bp__parking_post(bp_parking *parking) {
    dispatch_semaphore_signal(*parking);
}

static inline bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    dispatch_time_t until =
        timeout > INT64_MAX ? DISPATCH_TIME_FOREVER : dispatch_time(DISPATCH_TIME_NOW, (int64_t)timeout);
    return dispatch_semaphore_wait(*parking, until) == 0;
}
#else
#include <pthread.h>

/* A mutex and a condition variable: POSIX has no semaphore with a timeout on the monotonic clock. */
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_posted;
} bp_parking;

/* Returns false if the system has no resources for it. */
static inline bool bp__parking_create(bp_parking *parking) {
    pthread_condattr_t attributes;
    parking->is_posted = false;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool is_created = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                      pthread_cond_init(&parking->condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (is_created && pthread_mutex_init(&parking->mutex, NULL) != 0) {
        pthread_cond_destroy(&parking->condition);
        is_created = false;
    }
    return is_created;
}

static inline void bp__parking_destroy(bp_parking *parking) {
    pthread_mutex_destroy(&parking->mutex);
    pthread_cond_destroy(&parking->condition);
}

static inline void bp__parking_post(bp_parking *parking) {
    pthread_mutex_lock(&parking->mutex);
    parking->is_posted = true;
    /* Signals while the mutex is locked, so that the waiting thread does not destroy the parking before the signal. */
    pthread_cond_signal(&parking->condition);
    pthread_mutex_unlock(&parking->mutex);
}

static inline void bp__parking_unlock(void *mutex) {
    pthread_mutex_unlock(mutex);
}

/* A cancellation point. */
static inline bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    const uint64_t second = 1000000000;
    struct timespec until = {0, 0};
    bool has_deadline = timeout <= INT64_MAX;
    if (has_deadline) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        uint64_t nanoseconds = (uint64_t)until.tv_nsec + timeout % second;
        until.tv_sec += (time_t)(timeout / second + nanoseconds / second);
        until.tv_nsec = (long)(nanoseconds % second);
    }
    bool is_posted;
    pthread_mutex_lock(&parking->mutex);
    pthread_cleanup_push(bp__parking_unlock, &parking->mutex);
    int result = 0;
    while (!parking->is_posted && result != ETIMEDOUT) {
        result = has_deadline ? pthread_cond_timedwait(&parking->condition, &parking->mutex, &until)
                              : pthread_cond_wait(&parking->condition, &parking->mutex);
    }
    is_posted = parking->is_posted;
    pthread_cleanup_pop(1);
    return is_posted;
}
#endif
#endif

#endif
