/* SPDX-License-Identifier: Apache-2.0 */

/* The life of a driver, and its runs on the loop. See driver.h. */
#include "posix.h"

#include "driver.h"

#include "parking.h"
#include "pool.h"
#include "reconcile.h"
#include "sized.h"
#include "waiting.h"

/* The shortest and the longest pause between two checks whether a driver can end, in nanoseconds. */
#define BP_SHORTEST_LOOK 50000u
#define BP_LONGEST_LOOK 10000000u

/* The number of waiters whose deadline has passed that one call removes from the queue. */
#define BP_EXPIRED_AT_ONCE 16

/*
 * Raises the turn. Only the thread of the loop writes the turn, and the thread that creates the driver, so the load is
 * relaxed. bp_driver_run says with what the store pairs.
 */
static void bp__begin_turn(bp_driver *driver) {
    bp__store(&driver->turn, bp__load_relaxed(&driver->turn) + 1);
}

/* Creating. */

/* Takes a driver that is free, or NULL. */
static bp_driver *bp__find_free_driver(bp_pool *pool) {
    uint32_t used = bp__table_used(&pool->drivers);
    for (uint32_t index = 0; index < used; index++) {
        bp_driver *driver = bp__table_at(&pool->drivers, index);
        uint64_t state = BP_DRIVER_FREE;
        /* The load is relaxed: it only saves the compare-and-swap, which pairs with the store in bp__driver_end. */
        if (bp__load_relaxed(&driver->state) == state && bp__cas(&driver->state, &state, BP_DRIVER_OPEN)) {
            return driver;
        }
    }
    return NULL;
}

static bp_driver *bp__take_driver(bp_pool *pool) {
    for (;;) {
        bp_driver *driver = bp__find_free_driver(pool);
        /* Another thread may take the driver that this thread has added, so this thread searches again. */
        if (driver != NULL || bp__table_extend(&pool->drivers, BP_TABLE_CAPACITY) == BP_TABLE_NONE) {
            return driver;
        }
    }
}

bp_status bp_driver_create_sized(bp_pool *pool, const bp_driver_functions *functions, void *data, bp_driver **driver) {
    if (driver == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *driver = NULL;
    bp_driver_functions known;
    if (functions == NULL ||
        !bp__sized_read(&known, sizeof known, BP_SIZE_UP_TO(bp_driver_functions, arm), functions) ||
        known.open == NULL || known.close == NULL || known.post == NULL || known.arm == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_status status = bp__check(pool);
    if (status != BP_OK) {
        return status;
    }
    bp_driver *taken = bp__take_driver(pool);
    if (taken == NULL) {
        return BP_OUT_OF_MEMORY;
    }
    taken->pool = pool;
    taken->functions = known;
    taken->data = data;
    taken->is_running = taken->is_armed = taken->ends_with_pool = false;
    taken->pause = BP_SHORTEST_LOOK;
    /* Relaxed: the program passes the driver to other threads only after its creation. */
    bp__store_relaxed(&taken->wake_at, BP_NO_DEADLINE);
    bp__begin_turn(taken);           /* So that posted_in is of an earlier turn. */
    bp__add(&pool->open_drivers, 1); /* Pairs with the load in bp__is_quiet. */
    *driver = taken;
    return BP_OK;
}

void *bp_driver_data(const bp_driver *driver) {
    return driver == NULL ? NULL : driver->data;
}

bp_pool *bp_driver_pool(const bp_driver *driver) {
    return driver == NULL ? NULL : driver->pool;
}

/* Running. */

static uint64_t *bp__request_link(uint64_t item) {
    return &((bp_request *)(uintptr_t)item)->next;
}

static bp_slot *bp__slot_of_item(uint64_t item) {
    return (bp_slot *)(uintptr_t)(item & ~(uint64_t)BP_WORK_KIND_MASK);
}

static uint64_t bp__item_next(uint64_t item) {
    return (item & BP_WORK_KIND_MASK) == BP_WORK_REQUEST ? *bp__request_link(item)
                                                         : bp__entry_word(&bp__slot_of_item(item)->entry);
}

/*
 * Takes all work, and returns the item that was pushed first. The exchange is a full barrier: pairs with the
 * compare-and-swap in bp__driver_push, and comes after the store of the turn (see bp_driver_run).
 */
static uint64_t bp__take_work(bp_driver *driver) {
    uint64_t item = bp__exchange(&driver->work, 0), first = 0;
    while (item != 0) {
        uint64_t next = bp__item_next(item);
        if ((item & BP_WORK_KIND_MASK) == BP_WORK_REQUEST) {
            *bp__request_link(item) = first;
        } else {
            bp__entry_set_word(&bp__slot_of_item(item)->entry, first);
        }
        first = item;
        item = next;
    }
    return first;
}

/*
 * Makes the program open or close the connection of a slot. After a shutdown no connection is opened any more. Relaxed:
 * the exchange in bp__take_work has made the word of the slot visible.
 */
static void bp__begin_attempt(bp_driver *driver, bp_slot *slot, unsigned kind) {
    bp_lease lease = {slot, bp__slot_word_serial(bp__load_relaxed(&slot->word))};
    if (kind == BP_WORK_OPEN && bp_is_shut_down(driver->pool)) {
        bp_cancel_open(driver->pool, lease);
        bp__reconcile_for(driver);
        bp__driver_unhold(driver);
        return;
    }
    bp__entry_set_word(&slot->entry, (uint64_t)(uintptr_t)driver);
    (kind == BP_WORK_OPEN ? driver->functions.open : driver->functions.close)(driver, lease,
                                                                              bp_element(driver->pool, lease));
}

static void bp__do_work(bp_driver *driver) {
    uint64_t item = bp__take_work(driver);
    while (item != 0) {
        /* Read first, because the item belongs to the program afterwards. */
        uint64_t next = bp__item_next(item);
        unsigned kind = item & BP_WORK_KIND_MASK;
        if (kind == BP_WORK_REQUEST) {
            bp__request_deliver(driver, (bp_request *)(uintptr_t)item);
        } else {
            bp__begin_attempt(driver, bp__slot_of_item(item), kind);
        }
        item = next;
    }
}

/* Ends the waits whose deadline has passed, also those of other drivers' requests. */
static void bp__expire_requests(bp_driver *driver) {
    /* Acquire: pairs with the compare-and-swap in bp__driver_lower_wake. */
    uint64_t wake_at = bp__load(&driver->wake_at);
    uint64_t now = wake_at == BP_NO_DEADLINE ? 0 : bp__now();
    if (wake_at > now) {
        return;
    }
    /*
     * Full barrier, before any deadline is read: a request that is submitted meanwhile is either seen below, or lowers
     * this word again.
     */
    bp__exchange(&driver->wake_at, BP_NO_DEADLINE);
    bp_waiter_expiry expiry;
    do {
        void *contexts[BP_EXPIRED_AT_ONCE];
        expiry = bp__expire(driver->pool, now, contexts, BP_EXPIRED_AT_ONCE);
        for (uint32_t i = 0; i < expiry.expired; i++) {
            bp__request_complete(contexts[i], BP_TIMED_OUT, 0, bp__no_lease);
        }
    } while (expiry.expired == BP_EXPIRED_AT_ONCE);
    /*
     * A driver without holds has no request that waits. A request that is submitted after this load lowers wake_at
     * itself. Acquire: pairs with the addition in bp_request_submit.
     */
    if (bp__load(&driver->holds) != 0) {
        bp__driver_lower_wake(driver, expiry.next);
    }
}

/* Ending. */

/* Returns whether a closing driver can end. */
static bool bp__driver_may_end(bp_driver *driver) {
    if (driver->ends_with_pool) {
        /* Another thread may have held a connection when the pool was shut down, and have returned it since. */
        bp__reconcile_for(driver);
        if (!bp__is_quiet_beside_drivers(driver->pool)) {
            return false;
        }
    }
    /*
     * In this order, because a thread in bp_driver_release takes its hold before it leaves its record. Acquire: pairs
     * with bp__driver_unhold, the last access of the thread that had the last hold.
     */
    return !bp__thread_is_releasing_to(driver) && bp__load(&driver->holds) == 0;
}

static void bp__driver_end(bp_driver *driver) {
    bp_pool *pool = driver->pool;
    bp_driver_ended ended = driver->ended;
    void *data = driver->data;
    if (driver->is_armed) {
        driver->functions.arm(driver, BP_NO_DEADLINE);
    }
    driver->is_running = false;
    /* Release: pairs with the compare-and-swap in bp__find_free_driver. */
    bp__store(&driver->state, BP_DRIVER_FREE);
    /* The last access to the pool: another thread may destroy it from now on. Pairs with the load in bp__is_quiet. */
    bp__add(&pool->open_drivers, (uint64_t)-1);
    ended(data);
}

/*
 * Returns how long the loop may sleep. The load of wake_at comes after the exchange in bp__take_work, which is a full
 * barrier: either it finds a deadline that a thread has stored, or that thread finds the new turn and calls post.
 */
static uint64_t bp__next_run(bp_driver *driver, bool is_closing) {
    uint64_t wake_at = bp__load(&driver->wake_at), rest = BP_NO_DEADLINE;
    if (wake_at != BP_NO_DEADLINE) {
        uint64_t now = bp__now();
        rest = wake_at > now ? wake_at - now : 0;
    }
    if (is_closing && driver->pause < rest) {
        rest = driver->pause;
        driver->pause = driver->pause < BP_LONGEST_LOOK / 2 ? driver->pause * 2 : BP_LONGEST_LOOK;
    }
    return rest;
}

bp_status bp_driver_run(bp_driver *driver) {
    bp_status status = driver == NULL ? BP_INVALID_ARGUMENT : bp__check(driver->pool);
    if (status != BP_OK) {
        return status;
    }
    if (driver->is_running) {
        return BP_BUSY;
    }
    driver->is_running = true;
    bp__expire_requests(driver);
    /*
     * Before the exchange in bp__take_work, which is a full barrier: pairs with the one before bp__driver_wake. A
     * thread that has read the old turn has pushed its work, or lowered wake_at, before these are read below.
     */
    bp__begin_turn(driver);
    bp__do_work(driver);
    bool is_closing = bp__load(&driver->state) == BP_DRIVER_CLOSING;
    if (is_closing && bp__driver_may_end(driver)) {
        bp__driver_end(driver);
        return BP_OK;
    }
    uint64_t rest = bp__next_run(driver, is_closing);
    if (rest != BP_NO_DEADLINE || driver->is_armed) {
        driver->is_armed = rest != BP_NO_DEADLINE;
        driver->functions.arm(driver, rest);
    }
    driver->is_running = false;
    return BP_OK;
}

static bp_status bp__begin_end(bp_driver *driver, bp_driver_ended ended, bool ends_with_pool) {
    bp_status status = driver == NULL || ended == NULL ? BP_INVALID_ARGUMENT : bp__check(driver->pool);
    if (status != BP_OK) {
        return status;
    }
    uint64_t state = BP_DRIVER_OPEN;
    /*
     * Full barrier: pairs with the addition in bp_request_submit, after which that call reads the state. Either that
     * call sees that the driver is closing, or bp__driver_may_end sees its hold. Also comes before the run that
     * bp__driver_wake asks for.
     */
    if (!bp__cas(&driver->state, &state, BP_DRIVER_CLOSING)) {
        return BP_BUSY;
    }
    driver->ended = ended;
    driver->ends_with_pool = ends_with_pool;
    bp__driver_wake(driver);
    return BP_OK;
}

bp_status bp_driver_close(bp_driver *driver, bp_driver_ended ended) {
    return bp__begin_end(driver, ended, false);
}

bp_status bp_driver_shutdown(bp_driver *driver, bp_driver_ended ended) {
    bp_status status = bp__begin_end(driver, ended, true);
    if (status == BP_OK) {
        /* The next run reconciles, and thereby tells the waiters. */
        bp_shutdown(driver->pool);
    }
    return status;
}
