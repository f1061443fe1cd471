/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The task that runs on this thread.
 *
 * `withUnsafeCurrentTask` tells it to Swift code, but retains and releases the task and takes a closure. This is the
 * function of the Swift runtime behind it. It is part of the runtime's ABI, because code that the compiler generates
 * calls it, too.
 */
#ifndef RUNNING_TASK_H
#define RUNNING_TASK_H

#include <stdint.h>

/* A function without arguments returns a pointer in the same register in the conventions of Swift and of C. */
extern void *swift_task_getCurrent(void);

/* Returns a number that identifies the present task while it exists, or 0 outside of tasks. */
static inline uintptr_t running_task_number(void) {
    return (uintptr_t)swift_task_getCurrent();
}

#endif
