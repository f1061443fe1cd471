/* SPDX-License-Identifier: Apache-2.0 */

/* What a read of a value may answer. See registers.h. */
#include "registers.h"

#include "scheduler.h"

void register_set(value_register *it, uint64_t value) {
    it->count = 1;
    it->writes[0] = (value_write){.value = value};
}

value_write *register_begin(value_register *it, uint64_t value, uint64_t now) {
    REQUIRE(it->count < MOST_WRITES, "the explorer has room for %d writes only", MOST_WRITES);
    value_write *begun = &it->writes[it->count++];
    *begun = (value_write){.value = value, .began = now, .ended = UINT64_MAX};
    return begun;
}

/* Whether another write began after this one had ended, and ended before the read began. */
static bool is_overwritten(const value_register *it, const value_write *by, uint64_t read_began) {
    for (unsigned i = 0; i < it->count; i++) {
        const value_write *other = &it->writes[i];
        bool is_later = !by->is_last && (other->is_last || other->began > by->ended);
        if (is_later && other->ended < read_began) {
            return true;
        }
    }
    return false;
}

bool register_may_be(const value_register *it, uint64_t value, uint64_t began, uint64_t ended) {
    for (unsigned i = 0; i < it->count; i++) {
        const value_write *write = &it->writes[i];
        if (write->value == value && write->began <= ended && !is_overwritten(it, write, began)) {
            return true;
        }
    }
    return false;
}
