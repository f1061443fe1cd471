/* SPDX-License-Identifier: Apache-2.0 */

/* The work of a driver: pushing it, and waking the loop. See driver.h. */
#include "posix.h"

#include "driver.h"

#include "slot.h"

#include <errno.h>
#include <pthread.h>

/* The ticket of the slot of a closing connection. No waiter has this ticket. */
#define BP_CLOSING_TICKET UINT64_MAX

/* Calls post with cancellation of the thread disabled, because a write to a file descriptor is a cancellation point. */
static void bp__driver_post(bp_driver *driver) {
    int cancel_state, error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    driver->functions.post(driver);
    pthread_setcancelstate(cancel_state, NULL);
    errno = error;
}

void bp__driver_wake(bp_driver *driver) {
    /*
     * The caller's read-modify-write came before. It pairs with the exchange in bp__take_work, which comes after the
     * store of the new turn: either the run sees what the caller has published, or the caller sees the new turn. The
     * load of posted_in is acquire: pairs with the store below, which comes after the return of post.
     */
    uint64_t turn = bp__load(&driver->turn);
    if (bp__load(&driver->posted_in) == turn) {
        return; /* A post of this turn has returned, so another run begins. */
    }
    bp__driver_post(driver);
    bp__store(&driver->posted_in, turn);
}

bool bp__driver_lower_wake(bp_driver *driver, uint64_t deadline) {
    /* Acquire: pairs with the compare-and-swap below in another thread. */
    uint64_t found = bp__load(&driver->wake_at);
    while (found > deadline) {
        if (bp__cas(&driver->wake_at, &found, deadline)) {
            return true;
        }
    }
    return false;
}

void bp__driver_push(bp_driver *driver, void *address, unsigned kind) {
    /* Relaxed: this thread does not read the item that was pushed before. */
    uint64_t last = bp__load_relaxed(&driver->work);
    do {
        if (kind == BP_WORK_REQUEST) {
            ((bp_request *)address)->next = last;
        } else {
            bp__entry_set_word(&((bp_slot *)address)->entry, last);
        }
        /* Publishes the item: pairs with the exchange in bp__take_work. */
    } while (!bp__cas(&driver->work, &last, (uint64_t)(uintptr_t)address | kind));
}

void bp__driver_open(bp_driver *driver, bp_ticket ticket, bp_lease permit) {
    /* A hold for the time until this call returns, because the attempt may end before, and with it the permit's hold.
     */
    bp__driver_hold(driver);
    /* Relaxed, here and in bp__driver_close: the push publishes the ticket. */
    bp__store_relaxed(&permit.slot->ticket, ticket.value);
    bp__driver_push(driver, permit.slot, BP_WORK_OPEN);
    bp__driver_wake(driver);
    bp__driver_unhold(driver);
}

void bp__driver_close(bp_driver *driver, bp_lease lease) {
    bp__driver_hold(driver);
    bp__store_relaxed(&lease.slot->ticket, BP_CLOSING_TICKET);
    bp__driver_push(driver, lease.slot, BP_WORK_CLOSE);
    bp__driver_wake(driver);
}
