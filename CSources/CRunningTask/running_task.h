/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The Swift task that runs on this thread.
 *
 * Swift code can get the task from `withUnsafeCurrentTask`, which retains and releases the task and takes a closure.
 * This header calls the function of the Swift runtime on which `withUnsafeCurrentTask` is built. The function is part
 * of the runtime's ABI, because code that the compiler generates calls it, too.
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
