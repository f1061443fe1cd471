#include "home_number.h"

#include "atomics.h"

_Thread_local uint32_t bp_thread_number_plus_one;

uint32_t bp_thread_number_assign(void) {
    static bp_atomic64 given;
    uint32_t number = (uint32_t)bp_add(&given, 1);
    bp_thread_number_plus_one = number + 1;
    return number;
}
