/* SPDX-License-Identifier: Apache-2.0 */

/* Looking at the pool from outside: statistics, single slots, and how old leases are. */
#include "observation.h"

#include "pool.h"
#include "sized.h"

static bp_status bp__look_at_slot(const bp_pool *pool, uint32_t index, bp_slot_view *view) {
    *view = (bp_slot_view){.state = BP_SLOT_VACANT, .lease = bp__no_lease};
    if (index >= bp__table_used(&pool->slots)) {
        return BP_EMPTY;
    }
    bp_slot *slot = bp__table_at(&pool->slots, index);
    /*
     * Acquire: pairs with the release store in bp__slot_take_to_open, so that the slot's pool is visible, and with the
     * compare-and-swap in bp__begin_counted_close, so that what was done before the close is visible.
     */
    uint64_t word = bp__load(&slot->word);
    *view = (bp_slot_view){.state = bp__slot_word_state(word), .lease = {slot, bp__slot_word_serial(word)}};
    return BP_OK;
}

bp_status bp_slot_at_sized(const bp_pool *pool, uint32_t index, bp_slot_view *view) {
    const size_t least = BP_SIZE_UP_TO(bp_slot_view, lease);
    if (pool == NULL || view == NULL || view->size < least) {
        return BP_INVALID_ARGUMENT;
    }
    bp_slot_view seen;
    bp_status status = bp__look_at_slot(pool, index, &seen);
    bp__sized_write(view, &seen, sizeof seen);
    return status;
}

bp_status bp_pool_statistics_get_sized(const bp_pool *pool, bp_pool_statistics *statistics) {
    const size_t least = BP_SIZE_UP_TO(bp_pool_statistics, is_shut_down);
    if (pool == NULL || statistics == NULL || statistics->size < least) {
        return BP_INVALID_ARGUMENT;
    }
    uint32_t count[1 << BP_SLOT_STATE_BITS] = {0};
    uint32_t used = bp__table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp__table_at(&pool->slots, index);
        /* Relaxed: only the state is used. */
        count[bp__slot_word_state(bp__load_relaxed(&slot->word))]++;
    }
    uint64_t limits = bp__load(&pool->limits);
    bp_pool_statistics counted = {
        .idle = count[BP_SLOT_IDLE],
        .in_use = count[BP_SLOT_IN_USE],
        .opening = count[BP_SLOT_OPENING],
        .closing = count[BP_SLOT_CLOSING],
        .waiting = bp__waiting_count(bp__load(&pool->waiting)),
        .max_size = bp__max_size(limits),
        .hard_limit = bp__hard_limit(limits),
        .is_shut_down = (limits & BP_SHUT) != 0,
    };
    bp__sized_write(statistics, &counted, sizeof counted);
    return BP_OK;
}

void bp_observe_leases(bp_pool *pool, uint64_t now, uint64_t interval) {
    if (pool == NULL) {
        return;
    }
    /* Relaxed: the compare-and-swap below checks the value. */
    uint64_t observed_at = bp__load_relaxed(&pool->observed_at);
    /* A caller whose time is earlier than that of the latest observation must not store it as the time of leases that
     * have begun since. */
    bool is_due = observed_at == 0 || (now > observed_at && now - observed_at >= interval);
    /* Of several threads for which an observation is due, the compare-and-swap lets one make it. It orders nothing. */
    if (!is_due || !bp__cas(&pool->observed_at, &observed_at, now)) {
        return;
    }
    uint32_t used = bp__table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp__table_at(&pool->slots, index);
        /* Relaxed: only the state and the serial number are used. */
        uint64_t word = bp__load_relaxed(&slot->word);
        if (bp__slot_word_state(word) != BP_SLOT_IN_USE || !bp__table_reserve(&pool->observations, index)) {
            continue;
        }
        bp_observation *observation = bp__table_at(&pool->observations, index);
        /* Relaxed: usually only one thread observes at a time: see bp_observe_leases in bp_pool.h. */
        if (bp__load_relaxed(&observation->serial) != bp__slot_word_serial(word)) {
            bp__store_relaxed(&observation->at, now);
            /* Release: pairs with the load of the serial number in bp_oldest_lease_age, which then reads the time. */
            bp__store(&observation->serial, bp__slot_word_serial(word));
        }
    }
}

uint64_t bp_oldest_lease_age(const bp_pool *pool, uint64_t now) {
    uint64_t oldest = now;
    uint32_t used = pool == NULL ? 0 : bp__table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp__table_at(&pool->slots, index);
        bp_observation *observation = bp__table_find(&pool->observations, index);
        /* Relaxed: only the state and the serial number are used. The load of the observed serial number is acquire, so
         * that the time is read after it. */
        uint64_t word = bp__load_relaxed(&slot->word);
        if (observation != NULL && bp__slot_word_state(word) == BP_SLOT_IN_USE &&
            bp__load(&observation->serial) == bp__slot_word_serial(word)) {
            uint64_t at = bp__load_relaxed(&observation->at);
            oldest = at < oldest ? at : oldest;
        }
    }
    return now - oldest;
}
