/*
 * Which stripe is home: a small number that threads which run at the same time seldom share.
 *
 * The best such number is the CPU's: two threads on one CPU do not run at the same time, and a connection put back is
 * warm in that CPU's cache for whoever takes it next. Linux keeps it where a program can read it (rseq, registered by
 * glibc 2.35 and later): two loads. Elsewhere each thread gets a number of its own at its first call.
 *
 * It is a hint. A thread that is moved to another CPU between asking and using it finds a stripe that is not its own,
 * which costs a cache miss.
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

extern _Thread_local uint32_t bp_thread_number_plus_one;
uint32_t bp_thread_number_assign(void);

static inline uint32_t bp_thread_number(void) {
    uint32_t number = bp_thread_number_plus_one;
    return __builtin_expect(number != 0, 1) ? number - 1 : bp_thread_number_assign();
}

static inline uint32_t bp_home_number(void) {
#ifdef BP_HAS_RSEQ
    const char *area = (const char *)__builtin_thread_pointer() + __rseq_offset;
    /* Volatile: the kernel writes it. Negative where the area could not be registered. */
    int32_t processor = (int32_t)((const volatile struct rseq *)area)->cpu_id;
    if (__builtin_expect(processor >= 0, 1)) {
        return (uint32_t)processor;
    }
#endif
    return bp_thread_number();
}

#endif
