/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers for threads where the CPU is not known. See home_number.h. */
#include "home_number.h"

#include "atomics.h"

#ifndef BP_HAS_RSEQ
_Thread_local uint32_t bp__thread_number_plus_one;

uint32_t bp__thread_number_assign(void) {
    static bp_atomic64 given;
    uint32_t number = (uint32_t)bp__add(&given, 1);
    bp__thread_number_plus_one = number + 1;
    return number;
}
#endif
