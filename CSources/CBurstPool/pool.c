#include "pool.h"

#define BP_HIGH_ONE (UINT64_C(1) << 32)
#define BP_LOW(word) ((uint32_t)(word))
#define BP_HIGH(word) ((uint32_t)((word) >> 32) & 0x3fffffff)
#define BP_PAUSED (UINT64_C(1) << 62)
#define BP_SHUT (UINT64_C(1) << 63)
_Static_assert(BP_MAX_SIZE <= 0x3fffffff && BP_MAX_WAITERS < 0x3fffffff / 2, "counts stay clear of the flags");

static const bp_lease bp_no_lease = {NULL, 0};

/* The pool. */

static bool bp_limits_are_valid(uint32_t max_size, uint32_t hard_limit) {
    return max_size >= 1 && max_size <= hard_limit && hard_limit <= BP_MAX_SIZE;
}

static uint64_t bp_limits_word(uint32_t max_size, uint32_t hard_limit) {
    return ((uint64_t)hard_limit << 32) | max_size;
}

typedef struct {
    bp_atomic64 serial;
    bp_atomic64 at;
} bp_observation;

static size_t bp_round_up(size_t size, size_t alignment) {
    return (size + alignment - 1) & ~(alignment - 1);
}

static void bp_pool_free(bp_pool *pool) {
    bp_idle_stack_destroy(&pool->idle);
    bp_table_destroy(&pool->slots);
    bp_table_destroy(&pool->observations);
    bp_waiter_queue_destroy(&pool->queue);
    bp_deallocate(pool);
}

static bp_status bp_pool_make(const bp_pool_configuration *configuration, bp_pool **made) {
    size_t alignment = configuration->element_alignment == 0 ? _Alignof(void *) : configuration->element_alignment;
    if (!bp_limits_are_valid(configuration->max_size, configuration->hard_limit) || alignment > 64 ||
        (alignment & (alignment - 1)) != 0 || configuration->element_size > (size_t)1 << 30 ||
        configuration->max_waiters > BP_MAX_WAITERS) {
        return BP_INVALID_CONFIGURATION;
    }
    bp_pool *pool = bp_allocate_zeroed(sizeof(bp_pool), _Alignof(bp_pool));
    if (pool == NULL) {
        return BP_OUT_OF_MEMORY;
    }
    bp_store_relaxed(&pool->limits, bp_limits_word(configuration->max_size, configuration->hard_limit));
    pool->element_offset = bp_round_up(sizeof(struct bp_slot), alignment);
    pool->slots.stride = bp_round_up(pool->element_offset + configuration->element_size, 64);
    pool->observations.stride = sizeof(bp_observation);
    /*
     * The first slots now, so that they lie near the pool and what its maker has with it. A chunk from another of the
     * allocator's arenas, where the thread that first opens would put it, may share set and linear tag with those in an
     * AMD CPU's first cache; two such lines drive each other out, and a lease takes up to twice as long. Of use for up
     * to 64 slots, if they are small enough for an arena (Decisions/0002).
     */
    if (!bp_table_reserve(&pool->slots, 0) || !bp_idle_stack_create(&pool->idle, configuration->stripes) ||
        !bp_waiter_queue_create(&pool->queue)) {
        bp_pool_free(pool);
        return BP_OUT_OF_MEMORY;
    }
    pool->owner = configuration->owner;
    pool->release_owner = configuration->release_owner;
    uint32_t max_waiters = configuration->max_waiters == 0 ? BP_MAX_WAITERS : configuration->max_waiters;
    pool->full = max_waiters * BP_HIGH_ONE;
    *made = pool;
    return BP_OK;
}

bp_status bp_pool_create(const bp_pool_configuration *configuration, bp_pool **pool) {
    if (pool != NULL) {
        *pool = NULL;
    }
    if (configuration == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_status status = pool == NULL ? BP_INVALID_ARGUMENT : bp_pool_make(configuration, pool);
    if (status != BP_OK && configuration->release_owner != NULL) {
        configuration->release_owner(configuration->owner);
    }
    return status;
}

bp_status bp_pool_destroy(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    if (BP_LOW(bp_load(&pool->places)) != 0 || BP_LOW(bp_load(&pool->waiting)) != 0) {
        return BP_BUSY;
    }
    void (*release_owner)(void *) = pool->release_owner;
    void *owner = pool->owner;
    bp_pool_free(pool);
    if (release_owner != NULL) {
        release_owner(owner);
    }
    return BP_OK;
}

void *bp_pool_owner(const bp_pool *pool) {
    return pool == NULL ? NULL : pool->owner;
}

bp_status bp_resize(bp_pool *pool, uint32_t max_size, uint32_t hard_limit) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    if (!bp_limits_are_valid(max_size, hard_limit)) {
        return BP_INVALID_CONFIGURATION;
    }
    uint64_t limits = bp_load(&pool->limits);
    do {
        if ((limits & BP_SHUT) != 0) {
            return BP_SHUT_DOWN;
        }
        /* Full barrier: pairs with the read-modify-writes before bp_needs_settling in bp_release and bp_wait_join. */
    } while (!bp_cas(&pool->limits, &limits, bp_limits_word(max_size, hard_limit)));
    return BP_OK;
}

bp_status bp_shutdown(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /*
     * With limits of 0 no permit is given out and every idle connection is surplus. Pairs with the look at the limits
     * in bp_wait_join and in bp_release, each after a full barrier: either they see this, or the caller's settling sees
     * the waiter or the connection.
     */
    bp_exchange(&pool->limits, BP_SHUT);
    uint64_t waiting = bp_load(&pool->waiting);
    while ((waiting & BP_SHUT) == 0 && !bp_cas(&pool->waiting, &waiting, (waiting | BP_SHUT) & ~BP_PAUSED)) {
    }
    return BP_OK;
}

bool bp_is_shut_down(const bp_pool *pool) {
    return pool != NULL && (bp_load(&pool->limits) & BP_SHUT) != 0;
}

bp_status bp_pause(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    uint64_t waiting = bp_load(&pool->waiting);
    do {
        if ((waiting & BP_SHUT) != 0) {
            return BP_SHUT_DOWN;
        }
    } while (!bp_cas(&pool->waiting, &waiting, waiting | BP_PAUSED));
    return BP_OK;
}

bp_status bp_resume(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /*
     * Full barrier: whoever has set something free, or joined, before this, and saw the pause in settling, did it
     * before it looked; so the caller's settling finds it.
     */
    uint64_t waiting = bp_load(&pool->waiting);
    while (!bp_cas(&pool->waiting, &waiting, waiting & ~BP_PAUSED)) {
    }
    return BP_OK;
}

bool bp_is_paused(const bp_pool *pool) {
    return pool != NULL && (bp_load(&pool->waiting) & BP_PAUSED) != 0;
}

uint32_t bp_total(const bp_pool *pool) {
    return pool == NULL ? 0 : BP_LOW(bp_load(&pool->places));
}

uint32_t bp_waiting(const bp_pool *pool) {
    return pool == NULL ? 0 : BP_LOW(bp_load(&pool->waiting));
}

uint32_t bp_queued(const bp_pool *pool) {
    return pool == NULL ? 0 : BP_HIGH(bp_load(&pool->waiting));
}

bp_status bp_slot_at(const bp_pool *pool, uint32_t index, bp_slot_view *view) {
    if (pool == NULL || view == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *view = (bp_slot_view){BP_SLOT_VACANT, bp_no_lease};
    if (index >= bp_table_used(&pool->slots)) {
        return BP_EMPTY;
    }
    bp_slot *slot = bp_table_at(&pool->slots, index);
    /* Acquire: pairs with whatever moved the slot to this state, so that its pool is seen as well. */
    uint64_t word = bp_load(&slot->word);
    *view = (bp_slot_view){bp_slot_word_state(word), {slot, bp_slot_word_serial(word)}};
    return BP_OK;
}

bp_status bp_pool_statistics_get(const bp_pool *pool, bp_pool_statistics *statistics) {
    if (pool == NULL || statistics == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    uint32_t count[1 << BP_SLOT_STATE_BITS] = {0};
    uint32_t used = bp_table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp_table_at(&pool->slots, index);
        count[bp_slot_word_state(bp_load_relaxed(&slot->word))]++;
    }
    uint64_t limits = bp_load(&pool->limits);
    *statistics = (bp_pool_statistics){
        .idle = count[BP_SLOT_IDLE],
        .leased = count[BP_SLOT_LEASED],
        .opening = count[BP_SLOT_OPENING],
        .closing = count[BP_SLOT_CLOSING],
        .waiting = BP_LOW(bp_load(&pool->waiting)),
        .max_size = BP_LOW(limits),
        .hard_limit = BP_HIGH(limits),
        .is_shut_down = (limits & BP_SHUT) != 0,
    };
    return BP_OK;
}

size_t bp_pool_memory(const bp_pool *pool) {
    if (pool == NULL) {
        return 0;
    }
    return sizeof(bp_pool) + bp_idle_stack_memory(&pool->idle) + bp_table_memory(&pool->slots) +
           bp_table_memory(&pool->observations) + bp_waiter_queue_memory(&pool->queue);
}

/* Places. */

static inline bool bp_is_surplus(uint64_t places, uint64_t limits) {
    return BP_LOW(places) - BP_HIGH(places) > BP_LOW(limits);
}

bool bp_has_surplus(const bp_pool *pool) {
    return pool != NULL && bp_is_surplus(bp_load(&pool->places), bp_load(&pool->limits));
}

/* Those without a permit are to be given one, if there are any and there is room. */
static bool bp_permits_are_due(uint64_t waiting) {
    return (waiting & BP_PAUSED) == 0 && BP_HIGH(waiting) != 0;
}

bool bp_permit_is_wanted(bp_pool *pool) {
    return pool != NULL && bp_permits_are_due(bp_load(&pool->waiting)) &&
           BP_LOW(bp_load(&pool->places)) < BP_HIGH(bp_load(&pool->limits)) &&
           bp_waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING);
}

/* Takes a place for one more connection, and a slot for it. BP_OK; BP_LIMIT_REACHED; BP_OUT_OF_MEMORY. */
static bp_status bp_take_place(bp_pool *pool, bp_lease *permit) {
    uint64_t places = bp_load(&pool->places);
    do {
        if (BP_LOW(places) >= BP_HIGH(bp_load(&pool->limits))) {
            return BP_LIMIT_REACHED;
        }
    } while (!bp_cas(&pool->places, &places, places + 1));
    bp_slot *slot = (bp_slot *)bp_stack_pop(&pool->vacant);
    if (slot == NULL) {
        uint32_t index = bp_table_extend(&pool->slots, BP_TABLE_CAPACITY);
        if (index == BP_TABLE_NONE) {
            bp_add(&pool->places, (uint64_t)-1);
            return BP_OUT_OF_MEMORY;
        }
        slot = bp_table_at(&pool->slots, index);
        slot->pool = pool;
    }
    *permit = bp_slot_take_to_open(slot);
    return BP_OK;
}

/*
 * Gives back a place whose slot is vacant. closing: 1 if it counted as closing. The slot first, so that whoever takes
 * the place finds one. The addition is a full barrier: what the caller reads next (does somebody wait?) is read after
 * it.
 */
static void bp_give_place_back(bp_pool *pool, bp_slot *slot, uint64_t closing) {
    bp_stack_push(&pool->vacant, &slot->entry);
    bp_add(&pool->places, (uint64_t)0 - 1 - closing * BP_HIGH_ONE);
}

/* Whether the lease is of this pool at all. */
static inline bp_status bp_lease_belongs(const bp_pool *pool, bp_lease lease) {
    if (__builtin_expect(pool == NULL || lease.slot == NULL, 0)) {
        return BP_INVALID_ARGUMENT;
    }
    return __builtin_expect(lease.slot->pool != pool, 0) ? BP_FOREIGN_SLOT : BP_OK;
}

/* Whether the lease has not ended and is in this state: where misuse shows, if not at the same instant. */
static inline bp_status bp_lease_check(const bp_pool *pool, bp_lease lease, bp_slot_state state) {
    bp_status status = bp_lease_belongs(pool, lease);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    if (__builtin_expect(bp_load_relaxed(&lease.slot->word) != bp_slot_word(state, lease.serial), 0)) {
        return BP_STALE_LEASE;
    }
    return BP_OK;
}

/* Replaces the word of a lease in this state: where misuse shows, at the same instant too. */
static inline bp_status bp_lease_replace(const bp_pool *pool, bp_lease lease, bp_slot_state from, uint64_t word) {
    bp_status status = bp_lease_belongs(pool, lease);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    uint64_t expected = bp_slot_word(from, lease.serial);
    if (__builtin_expect(!bp_cas(&lease.slot->word, &expected, word), 0)) {
        return BP_STALE_LEASE;
    }
    return BP_OK;
}

/* Ends a lease, or turns it into another state of the same lease. */
static inline bp_status bp_lease_move(const bp_pool *pool, bp_lease lease, bp_slot_state from, bp_slot_state to) {
    return bp_lease_replace(pool, lease, from, bp_slot_word(to, lease.serial));
}

/* Leases. */

bool bp_needs_settling(const bp_pool *pool) {
    return pool != NULL && (BP_LOW(bp_load_relaxed(&pool->waiting)) != 0 ||
                            bp_is_surplus(bp_load_relaxed(&pool->places), bp_load_relaxed(&pool->limits)));
}

bool bp_somebody_waits(bp_pool *pool) {
    uint64_t waiting = pool == NULL ? 0 : bp_load(&pool->waiting);
    return (waiting & BP_PAUSED) == 0 && BP_LOW(waiting) != 0 &&
           bp_waiter_exists(&pool->queue, (1u << BP_WAITER_WAITING) | (1u << BP_WAITER_OPENING));
}

/* The count of waiters is not 0: for a moment too high, or does somebody wait? Or is it not the count? */
static __attribute__((noinline)) bool bp_may_pass(bp_pool *pool) {
    return (bp_load(&pool->waiting) & (BP_SHUT | BP_PAUSED)) == 0 && !bp_somebody_waits(pool);
}

bp_lease bp_try_acquire(bp_pool *pool) {
    if (__builtin_expect(pool == NULL, 0)) {
        return bp_no_lease;
    }
    if (__builtin_expect(bp_load_relaxed(&pool->waiting) != 0, 0) && !bp_may_pass(pool)) {
        return bp_no_lease;
    }
    bp_slot *slot = bp_idle_take(&pool->idle);
    return slot == NULL ? bp_no_lease : bp_slot_take(slot, BP_SLOT_LEASED);
}

static bp_status bp_take_with(bp_pool *pool, bp_lease *lease, bp_slot *(*take)(bp_idle_stack *)) {
    if (pool == NULL || lease == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_slot *slot = take(&pool->idle);
    *lease = slot == NULL ? bp_no_lease : bp_slot_take(slot, BP_SLOT_LEASED);
    return slot == NULL ? BP_EMPTY : BP_OK;
}

bp_status bp_take_idle(bp_pool *pool, bp_lease *lease) {
    return bp_take_with(pool, lease, bp_idle_take_thoroughly);
}

bp_status bp_take_unswept(bp_pool *pool, bp_lease *lease) {
    return bp_take_with(pool, lease, bp_idle_take_unswept);
}

bp_status bp_put_swept(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_move(pool, lease, BP_SLOT_LEASED, BP_SLOT_IDLE);
    if (status != BP_OK) {
        return status;
    }
    bp_idle_put_swept(&pool->idle, lease.slot);
    /* As in bp_release: who has joined while the slot was in hand may have looked through everything else. */
    return bp_needs_settling(pool) ? BP_SETTLE : BP_OK;
}

bp_status bp_return_swept(bp_pool *pool) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    if (!bp_idle_return_swept(&pool->idle)) {
        return BP_EMPTY;
    }
    /* As in bp_put_swept. */
    return bp_needs_settling(pool) ? BP_SETTLE : BP_OK;
}

bp_status bp_put_back(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_move(pool, lease, BP_SLOT_LEASED, BP_SLOT_IDLE);
    if (__builtin_expect(status == BP_OK, 1)) {
        bp_idle_put(&pool->idle, lease.slot);
    }
    return status;
}

bp_status bp_release_exclusive(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_check(pool, lease, BP_SLOT_LEASED);
    if (__builtin_expect(status != BP_OK, 0)) {
        return status;
    }
    /* The exchange in bp_idle_put makes this visible to whoever takes the slot next. */
    bp_store_relaxed(&lease.slot->word, bp_slot_word(BP_SLOT_IDLE, lease.serial));
    bp_idle_put(&pool->idle, lease.slot);
    /* As in bp_release. */
    return bp_needs_settling(pool) ? BP_SETTLE : BP_OK;
}

bp_status bp_release(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_put_back(pool, lease);
    /*
     * The slot was put back with a full barrier, so this is read after it. Pairs with bp_wait_join, which counts and
     * appends itself before it looks for idle connections, and with bp_resize and bp_shutdown, which lower the limits
     * before the idle connections are looked through: one of both sees the other.
     */
    return status == BP_OK && bp_needs_settling(pool) ? BP_SETTLE : status;
}

void *bp_element(const bp_pool *pool, bp_lease lease) {
    return pool == NULL || lease.slot == NULL ? NULL : (char *)lease.slot + pool->element_offset;
}

size_t bp_element_offset(const bp_pool *pool) {
    return pool == NULL ? 0 : pool->element_offset;
}

bool bp_lease_is_current(const bp_pool *pool, bp_lease lease) {
    if (pool == NULL || lease.slot == NULL || lease.slot->pool != pool) {
        return false;
    }
    uint64_t word = bp_load(&lease.slot->word);
    bp_slot_state state = bp_slot_word_state(word);
    return bp_slot_word_serial(word) == lease.serial && state != BP_SLOT_VACANT && state != BP_SLOT_IDLE;
}

/* Opening. */

bp_status bp_begin_open(bp_pool *pool, bp_ticket *ticket, bp_lease *permit) {
    if (pool == NULL || ticket == NULL || permit == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *permit = bp_no_lease;
    if (!bp_permits_are_due(bp_load(&pool->waiting))) {
        return BP_EMPTY;
    }
    do {
        bp_lease taken;
        bp_status status = bp_take_place(pool, &taken);
        if (status != BP_OK) {
            return status;
        }
        if (bp_waiter_begin_opening(&pool->queue, ticket)) {
            bp_add(&pool->waiting, (uint64_t)0 - BP_HIGH_ONE);
            *permit = taken;
            return BP_OK;
        }
        bp_cancel_open(pool, taken);
        /* Nobody; but somebody may have joined, and found no place, while this one was in hand. So look again. */
    } while (bp_waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING));
    return BP_EMPTY;
}

bp_status bp_begin_open_unasked(bp_pool *pool, bp_lease *permit) {
    if (pool == NULL || permit == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *permit = bp_no_lease;
    uint64_t waiting = bp_load(&pool->waiting);
    if ((waiting & BP_SHUT) != 0) {
        return BP_SHUT_DOWN;
    }
    if ((waiting & BP_PAUSED) != 0 ||
        (BP_HIGH(waiting) != 0 && bp_waiter_exists(&pool->queue, 1u << BP_WAITER_WAITING))) {
        return BP_EMPTY;
    }
    return bp_take_place(pool, permit);
}

bp_status bp_finish_open(bp_pool *pool, bp_lease permit) {
    return bp_lease_move(pool, permit, BP_SLOT_OPENING, BP_SLOT_LEASED);
}

bp_status bp_cancel_open(bp_pool *pool, bp_lease permit) {
    bp_status status = bp_lease_move(pool, permit, BP_SLOT_OPENING, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp_give_place_back(pool, permit.slot, 0);
    }
    return status;
}

bp_status bp_reopen(bp_pool *pool, bp_lease lease, bp_lease *permit) {
    if (permit == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *permit = bp_no_lease;
    /* State and serial at once: in between, a copy of the old lease would pass for a permit. */
    bp_status status = bp_lease_replace(pool, lease, BP_SLOT_LEASED, bp_slot_word(BP_SLOT_OPENING, lease.serial + 1));
    if (status == BP_OK) {
        *permit = (bp_lease){lease.slot, lease.serial + 1};
    }
    return status;
}

/* Closing. */

/*
 * Moves a lease to closing that is counted as closing already: in closing before it is counted, or for a moment only,
 * another thread with a copy of the lease could finish a close that nobody has begun.
 */
static bp_status bp_begin_counted_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_move(pool, lease, BP_SLOT_LEASED, BP_SLOT_CLOSING);
    if (status != BP_OK) {
        bp_add(&pool->places, (uint64_t)0 - BP_HIGH_ONE);
    }
    return status;
}

bp_status bp_begin_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_check(pool, lease, BP_SLOT_LEASED);
    if (status != BP_OK) {
        return status;
    }
    bp_add(&pool->places, BP_HIGH_ONE);
    return bp_begin_counted_close(pool, lease);
}

bp_status bp_begin_close_surplus(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_check(pool, lease, BP_SLOT_LEASED);
    if (status != BP_OK) {
        return status;
    }
    uint64_t places = bp_load(&pool->places);
    while (bp_is_surplus(places, bp_load(&pool->limits))) {
        if (bp_cas(&pool->places, &places, places + BP_HIGH_ONE)) {
            return bp_begin_counted_close(pool, lease);
        }
    }
    return BP_EMPTY;
}

bp_status bp_finish_close(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_move(pool, lease, BP_SLOT_CLOSING, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp_give_place_back(pool, lease.slot, 1);
    }
    return status;
}

bp_status bp_detach(bp_pool *pool, bp_lease lease) {
    bp_status status = bp_lease_move(pool, lease, BP_SLOT_LEASED, BP_SLOT_VACANT);
    if (status == BP_OK) {
        bp_give_place_back(pool, lease.slot, 0);
    }
    return status;
}

/* Waiting. */

/* A waiter with this status has gone. */
static uint64_t bp_count_gone(bp_pool *pool, bp_waiter_status before) {
    return BP_LOW(bp_add(&pool->waiting, (uint64_t)0 - 1 - (before == BP_WAITER_WAITING ? BP_HIGH_ONE : 0))) - 1;
}

bp_status bp_wait_prepare(bp_pool *pool, bp_ticket *ticket) {
    if (pool == NULL || ticket == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    return bp_is_shut_down(pool) ? BP_SHUT_DOWN : bp_waiter_prepare(&pool->queue, ticket);
}

/*
 * Whether one more is too many, where the word of those who wait is not below that of a full queue: it may be for a
 * flag. Those for whom there is a free place will have a permit as soon as anybody settles. After a shutdown nobody is
 * turned away for this.
 */
static __attribute__((noinline)) bool bp_is_full(const bp_pool *pool, uint64_t waiting) {
    uint64_t limits = bp_load(&pool->limits);
    uint32_t total = BP_LOW(bp_load(&pool->places)), hard_limit = BP_HIGH(limits);
    uint32_t free_places = hard_limit > total ? hard_limit - total : 0;
    return (limits & BP_SHUT) == 0 && BP_HIGH(waiting) >= BP_HIGH(pool->full) + free_places;
}

/* Whoever has been counted, but does not join. */
static __attribute__((noinline)) bp_status bp_turn_away(bp_pool *pool, bp_ticket ticket) {
    bp_status status = bp_waiter_withdraw(&pool->queue, ticket);
    bp_count_gone(pool, BP_WAITER_WAITING);
    return status == BP_OK ? BP_TOO_MANY_WAITERS : status;
}

bp_status bp_wait_join(bp_pool *pool, bp_ticket ticket, void *context, uint64_t deadline, bool *arm_timer) {
    bool is_earliest = false;
    if (arm_timer != NULL) {
        *arm_timer = false;
    }
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /* Before the waiter can be found: the count is never too low, and who releases after this will look. */
    uint64_t before = bp_add(&pool->waiting, 1 + BP_HIGH_ONE);
    if (__builtin_expect(before >= pool->full, 0) && bp_is_full(pool, before)) {
        return bp_turn_away(pool, ticket);
    }
    bp_status status = bp_waiter_join(&pool->queue, ticket, context, deadline, &is_earliest);
    if (status != BP_OK) {
        bp_count_gone(pool, BP_WAITER_WAITING);
        return status;
    }
    if (arm_timer != NULL) {
        *arm_timer = is_earliest;
    }
    /* The append was a full barrier: either this sees the shutdown, or the shutdown's settling sees the waiter. */
    void *its_context;
    if (bp_is_shut_down(pool) && bp_wait_claim(pool, ticket, &its_context) == BP_OK) {
        return BP_SHUT_DOWN;
    }
    return BP_OK;
}

bp_status bp_wait_claim(bp_pool *pool, bp_ticket ticket, void **context) {
    if (pool == NULL || context == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    *context = NULL;
    bp_waiter_status before = bp_waiter_leave(&pool->queue, ticket, context);
    if (before == BP_WAITER_FREE) {
        return BP_STALE_TICKET;
    }
    if (before != BP_WAITER_PREPARED) {
        bp_waiter_tidy(&pool->queue, bp_count_gone(pool, before));
    }
    return BP_OK;
}

bp_status bp_wait_requeue(bp_pool *pool, bp_ticket ticket) {
    if (pool == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    /* Before the waiter can be found waiting, as in bp_wait_join: whoever then gives it a permit counts it down again.
     */
    bp_add(&pool->waiting, BP_HIGH_ONE);
    if (!bp_waiter_requeue(&pool->queue, ticket)) {
        bp_add(&pool->waiting, (uint64_t)0 - BP_HIGH_ONE);
        return BP_STALE_TICKET;
    }
    /*
     * A shutdown need not be looked for: the waiter has been in the queue all the time, where bp_hand_over takes it
     * whether it waits for a permit or not.
     */
    return BP_OK;
}

size_t bp_expire(bp_pool *pool, uint64_t now, void **contexts, size_t capacity, uint64_t *next) {
    if (pool == NULL || contexts == NULL || next == NULL) {
        return 0;
    }
    bp_waiter_expiry expiry = bp_waiter_expire(&pool->queue, now, contexts, capacity);
    *next = expiry.next;
    if (expiry.gone > 0) {
        uint64_t delta = (uint64_t)expiry.gone + (uint64_t)expiry.gone_without_permit * BP_HIGH_ONE;
        uint64_t before = bp_add(&pool->waiting, (uint64_t)0 - delta);
        bp_waiter_tidy(&pool->queue, BP_LOW(before) - expiry.gone);
    }
    return expiry.gone;
}

uint64_t bp_next_deadline(const bp_pool *pool) {
    return pool == NULL ? BP_NO_DEADLINE : bp_waiter_next_deadline(&pool->queue);
}

bp_status bp_hand_over(bp_pool *pool, void **context) {
    if (pool == NULL || context == NULL) {
        return BP_INVALID_ARGUMENT;
    }
    bp_waiter_status before = bp_waiter_serve_oldest(&pool->queue, context);
    if (before == BP_WAITER_FREE) {
        return BP_EMPTY;
    }
    bp_count_gone(pool, before);
    return BP_OK;
}

/* Ages of leases. */

void bp_observe_leases(bp_pool *pool, uint64_t now, uint64_t interval) {
    if (pool == NULL) {
        return;
    }
    uint64_t observed_at = bp_load_relaxed(&pool->observed_at);
    /* Who has read the clock before the latest look must not date leases back to before it. */
    bool is_due = observed_at == 0 || (now > observed_at && now - observed_at >= interval);
    if (!is_due || !bp_cas(&pool->observed_at, &observed_at, now)) {
        return;
    }
    uint32_t used = bp_table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp_table_at(&pool->slots, index);
        uint64_t word = bp_load_relaxed(&slot->word);
        if (bp_slot_word_state(word) != BP_SLOT_LEASED || !bp_table_reserve(&pool->observations, index)) {
            continue;
        }
        bp_observation *observation = bp_table_at(&pool->observations, index);
        if (bp_load_relaxed(&observation->serial) != bp_slot_word_serial(word)) {
            bp_store_relaxed(&observation->at, now);
            bp_store(&observation->serial, bp_slot_word_serial(word));
        }
    }
}

uint64_t bp_oldest_lease_age(const bp_pool *pool, uint64_t now) {
    uint64_t oldest = now;
    uint32_t used = pool == NULL ? 0 : bp_table_used(&pool->slots);
    for (uint32_t index = 0; index < used; index++) {
        struct bp_slot *slot = bp_table_at(&pool->slots, index);
        bp_observation *observation = bp_table_find(&pool->observations, index);
        uint64_t word = bp_load_relaxed(&slot->word);
        if (observation != NULL && bp_slot_word_state(word) == BP_SLOT_LEASED &&
            bp_load(&observation->serial) == bp_slot_word_serial(word)) {
            uint64_t at = bp_load_relaxed(&observation->at);
            oldest = at < oldest ? at : oldest;
        }
    }
    return now - oldest;
}
