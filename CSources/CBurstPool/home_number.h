/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The home number: a number that two threads which run at the same time seldom share. Reduced to the number of stripes,
 * it selects the home stripe of the idle stack. (The home of a waiter, in waiter_queue.h, is something else.)
 *
 * The number belongs to the CPU rather than to the thread. Two threads on one CPU do not run at the same time, and a
 * connection that was released on a CPU is in that CPU's cache for the next thread. Linux keeps such numbers where a
 * program can read them with two loads (rseq, which glibc 2.35 and later registers): since Linux 6.3 the concurrency
 * number of the process (mm_cid), and before that the number of the CPU. Concurrency numbers are dense: a process that
 * may run on the CPUs 0 and 4 has the numbers 0 and 1. Elsewhere each thread gets a number at its first call.
 *
 * The number is a hint. If a thread is moved to another CPU between reading the number and using it, the thread uses
 * the stripe of another CPU, which costs a cache miss.
 */
#ifndef BP_HOME_NUMBER_H
#define BP_HOME_NUMBER_H

#include <stdint.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define BP_HAS_RSEQ
#endif
#endif

#ifdef BP_HAS_RSEQ
#include <stddef.h>

/* From the thread pointer to the number. Chosen when the library is loaded, and constant afterwards. */
extern ptrdiff_t bp__home_number_offset __attribute__((visibility("hidden")));

static inline uint32_t bp__home_number(void) {
    const char *thread = __builtin_thread_pointer();
    /* Volatile, because the kernel writes the number. It is negative if glibc could not register its area. */
    int32_t number = *(const volatile int32_t *)(thread + bp__home_number_offset);
    if (__builtin_expect(number >= 0, 1)) {
        return (uint32_t)number;
    }
    /*
     * The kernel is older than rseq, or does not allow it: a number that is computed from the thread's address. A
     * function that gives out numbers would be slower, because the fast path would have to save registers for its call
     * even if the call is not made.
     */
    return (uint32_t)(((uint64_t)(uintptr_t)thread * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}
#else
extern _Thread_local uint32_t bp__thread_number_plus_one;
uint32_t bp__thread_number_assign(void);

static inline uint32_t bp__home_number(void) {
    uint32_t number = bp__thread_number_plus_one;
    return __builtin_expect(number != 0, 1) ? number - 1 : bp__thread_number_assign();
}
#endif

#endif
