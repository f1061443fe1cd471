/* SPDX-License-Identifier: Apache-2.0 */

/* Finding the home number of a CPU, giving out numbers to threads on systems that have none for CPUs, and
 * bp_home_number for programs. See home_number.h. */
#include "home_number.h"

#include "atomics.h"
#include "include/bp_pool.h"

#ifdef BP_HAS_RSEQ
#include <sys/auxv.h>

/* Names of Linux 6.3. The headers may be older than the kernel, and lack them. */
#define BP_AT_RSEQ_FEATURE_SIZE 27
#define BP_MM_CID_OFFSET 24
#define BP_MM_CID_END (BP_MM_CID_OFFSET + sizeof(uint32_t))

/*
 * 0 until the constructor has run. A call before that, in the constructor of another library, reads the first word of
 * the thread's control block instead. That word is the same at each call of a thread.
 */
ptrdiff_t bp__home_number_offset;

__attribute__((constructor)) static void bp__choose_home_number(void) {
    /* The area that glibc registers has at least 32 bytes, enough for the field. The size is 0 if none is registered.
     */
    bool has_mm_cid = __rseq_size > 0 && getauxval(BP_AT_RSEQ_FEATURE_SIZE) >= BP_MM_CID_END;
    bp__home_number_offset = __rseq_offset + (has_mm_cid ? BP_MM_CID_OFFSET : (int)offsetof(struct rseq, cpu_id));
}
#else
_Thread_local uint32_t bp__thread_number_plus_one;

uint32_t bp__thread_number_assign(void) {
    /* The addition orders nothing: two threads only must not get the same number. */
    static bp_atomic64 given;
    uint32_t number = (uint32_t)bp__add(&given, 1);
    bp__thread_number_plus_one = number + 1;
    return number;
}
#endif

uint32_t bp_home_number(void) {
    return bp__home_number();
}
