/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A value that threads write and read at the same time, and the values that a read may return.
 *
 * A write takes effect at some moment between its begin and its end, and so does a read. Times are counted in events of
 * the world.
 */
#ifndef EXPLORER_REGISTERS_H
#define EXPLORER_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#define MOST_WRITES 24

typedef struct {
    uint64_t value, began, ended; /* ended: UINT64_MAX while it is under way. */
    bool is_last;                 /* No later write has an effect. */
} value_write;

typedef struct {
    value_write writes[MOST_WRITES];
    unsigned count;
} value_register;

/* The value at the start. */
void register_set(value_register *it, uint64_t value);
/* Returns the write that has begun. */
value_write *register_begin(value_register *it, uint64_t value, uint64_t now);
/* Whether a read that began and ended at these times may return this value. */
bool register_may_be(const value_register *it, uint64_t value, uint64_t began, uint64_t ended);

#endif
