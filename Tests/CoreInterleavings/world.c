#include "world.h"

#include "atomics.h"
#include "inspect.h"
#include "memory.h"

#include <string.h>

world_state world;

uint64_t explored_tidy_slack, explored_tidy_limit;

static const bp_lease none = {NULL, 0};

/* The element of each slot. */
typedef struct {
    unsigned owner; /* NO_OWNER, SET_UP_OWNER, or thread + 2. */
    bool is_open;
    uint64_t expected; /* What the content must be for the next owner. */
    bp_atomic64 content;
} connection;

static connection *connection_of(bp_lease lease) {
    return bp_element(world.pool, lease);
}

static unsigned self(void) {
    return this_thread() == NOBODY ? SET_UP_OWNER : this_thread() + 2;
}

uint32_t explored_home_number(void) {
    if (!threads_run()) {
        return 0;
    }
    return this_thread() + (world.stripes > 1 ? choose(2) : 0);
}

static uint64_t event(void) {
    return ++world.now;
}

/* Ownership. */

void own(bp_lease lease, bool is_open) {
    connection *it = connection_of(lease);
    REQUIRE(it->owner == NO_OWNER, "a slot has two owners");
    it->owner = self();
    REQUIRE(it->is_open == is_open, is_open ? "a lease without a connection" : "a permit for a slot in use");
    if (world.checks_contents && threads_run()) {
        uint64_t found = bp_load_relaxed(&it->content);
        REQUIRE(found == it->expected, "an owner does not see what the one before wrote");
        it->expected = ++world.stamp;
        bp_store_relaxed(&it->content, it->expected);
    }
}

void disown(bp_lease lease) {
    connection *it = connection_of(lease);
    REQUIRE(it->owner == self(), "a lease is given up by who does not own it");
    it->owner = NO_OWNER;
}

static void set_open(bp_lease lease, bool is_open) {
    connection *it = connection_of(lease);
    REQUIRE(it->is_open != is_open, is_open ? "opened twice" : "closed twice");
    it->is_open = is_open;
    *(is_open ? &world.opened : &world.closed) += 1;
}

/* Who may not be overtaken. */

bool is_waiting(const wait *it) {
    ticket_state state = it->joined == BP_OK ? inspect_ticket(world.pool, it->ticket) : TICKET_NONE;
    return state == TICKET_WAITING || state == TICKET_OPENING;
}

/* Nobody who had joined before `time`, and still waits, may have been passed over for `other`. */
static void require_nobody_older(uint64_t time, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || !is_waiting(it) || it->join_ended >= time, "%s", what);
    }
}

/* The same for a permit. Whoever was sent back into the queue since the permit was asked for may have come too late. */
static void require_nobody_older_without_permit(uint64_t time, uint64_t asked, const wait *other, const char *what) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        const wait *it = &world.waits[i];
        REQUIRE(it == other || it->joined != BP_OK || inspect_ticket(world.pool, it->ticket) != TICKET_WAITING ||
                    it->join_ended >= time || it->requeued >= asked,
                "%s", what);
    }
}

/*
 * A newcomer looks before it takes, and on a weakly ordered CPU "before" is only what it has heard of: there, nothing
 * tells it of a waiter or a shutdown that nobody told it of. So these rules do not hold in the view model.
 */
static void require_not_overtaking(uint64_t began, const char *what) {
    if (model != MEMORY_VIEW) {
        require_nobody_older(began, NULL, what);
    }
}

static void require_not_overtaking_for_permit(uint64_t began, const char *what) {
    if (model != MEMORY_VIEW) {
        require_nobody_older_without_permit(began, began, NULL, what);
    }
}

static void require_open_for_business(uint64_t began, const char *what) {
    REQUIRE(model == MEMORY_VIEW || world.shut_down_at == 0 || began < world.shut_down_at, "%s", what);
}

/* Who began to ask while the pool was paused, and has the answer while it still is, is given nothing. */
static void require_not_paused(uint64_t began, const char *what) {
    REQUIRE(model == MEMORY_VIEW || world.paused_at == 0 || began < world.paused_at, "%s", what);
}

/* Whoever is told that the pool has been shut down is told the truth. */
static void require_known_shutdown(bp_status status) {
    REQUIRE(status != BP_SHUT_DOWN || world.is_being_shut_down, "shut down, it says, and nobody did");
}

/* Waits. */

void resume(wait *it, bp_status outcome, bp_lease lease) {
    REQUIRE(it->resumed == 0, "a waiter is resumed twice");
    it->outcome = outcome;
    it->lease = lease;
    it->resumed++;
    memory_send(it->index);
}

wait *prepare(uint64_t deadline) {
    REQUIRE(world.wait_count < MOST_WAITS, "the explorer has room for %d waits only", MOST_WAITS);
    wait *it = &world.waits[world.wait_count];
    it->index = world.wait_count++;
    it->thread = this_thread();
    it->deadline = deadline == BP_NO_DEADLINE ? deadline : deadline + world.clock_base;
    it->joined = BP_EMPTY;
    uint64_t began = event();
    bp_status status = bp_wait_prepare(world.pool, &it->ticket);
    require_known_shutdown(status);
    if (status == BP_SHUT_DOWN) {
        return NULL;
    }
    REQUIRE(status == BP_OK, "bp_wait_prepare answers %s", bp_status_name(status));
    require_open_for_business(began, "a wait was prepared after shutdown");
    memory_send(it->index);
    it->prepared = true;
    return it;
}

bool join_queue(wait *it) {
    bool arm = false;
    it->join_began = event();
    bp_status status = bp_wait_join(world.pool, it->ticket, it, it->deadline, &arm);
    it->joined = status;
    it->join_ended = event();
    REQUIRE(status == BP_OK || status == BP_CANCELLED || status == BP_SHUT_DOWN ||
                (status == BP_TOO_MANY_WAITERS && world.max_waiters != 0),
            "bp_wait_join answers %s", bp_status_name(status));
    if (status == BP_TOO_MANY_WAITERS) {
        require_open_for_business(it->join_began, "turned away for others, though the pool has been shut down");
    }
    require_known_shutdown(status);
    REQUIRE(status == BP_OK || it->resumed == 0, "resumed, and was told that it does not wait");
    REQUIRE(status != BP_OK || !it->cancelled_early, "joins though cancelled");
    if (status == BP_OK && arm && it->deadline < world.timer) {
        world.timer = it->deadline;
    }
    settle();
    return status == BP_OK;
}

void wait_and_give(void) {
    wait *it = prepare(BP_NO_DEADLINE);
    bp_lease lease;
    if (it != NULL && join_queue(it) && park(it, &lease)) {
        give(lease);
    }
}

bool park(wait *it, bp_lease *lease) {
    it->parked = true;
    block_until(&it->resumed);
    memory_receive(it->index);
    it->picked_up = true;
    *lease = it->lease;
    if (it->outcome != BP_OK) {
        return false;
    }
    own(it->lease, true);
    return true;
}

bool cancel(wait *it) {
    if (!it->prepared) {
        return false;
    }
    memory_receive(it->index);
    void *context;
    bp_status status = bp_wait_claim(world.pool, it->ticket, &context);
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_wait_claim answers %s", bp_status_name(status));
    if (status == BP_OK && context != NULL) {
        REQUIRE(context == it, "bp_wait_claim brings another waiter's context");
        resume(it, BP_CANCELLED, none);
    }
    it->cancelled_early = status == BP_OK && context == NULL;
    return status == BP_OK;
}

void expire(uint64_t time, size_t capacity) {
    void *contexts[4];
    uint64_t next = 0;
    time += world.clock_base;
    if (world.timer <= time) {
        world.timer = BP_NO_DEADLINE;
    }
    size_t count = bp_expire(world.pool, time, contexts, capacity < 4 ? capacity : 4, &next);
    for (size_t i = 0; i < count; i++) {
        wait *it = contexts[i];
        REQUIRE(it != NULL && it->deadline <= time, "a waiter expires before its time");
        resume(it, BP_TIMED_OUT, none);
    }
    world.timer = next < world.timer ? next : world.timer;
}

/* Settling, as documented in bp_pool.h. */

static void note_permit(bp_lease permit) {
    look_begin();
    unsigned total = bp_total(world.pool);
    look_end();
    REQUIRE(total <= world.greatest_limit, "%u connections where %u are allowed", total, world.greatest_limit);
    own(permit, false);
}

static void resume_with(wait *it, bp_lease lease) {
    disown(lease);
    resume(it, BP_OK, lease);
}

static void hand_over_or_put_back(bp_lease lease) {
    void *context;
    if (bp_hand_over(world.pool, &context) == BP_OK) {
        wait *it = context;
        require_nobody_older(it->join_began, it, "an older waiter was passed over");
        resume_with(it, lease);
    } else {
        disown(lease);
        REQUIRE(bp_put_back(world.pool, lease) == BP_OK, "bp_put_back refuses");
    }
}

static wait *find_wait(bp_ticket ticket) {
    for (unsigned i = 0; i < world.wait_count; i++) {
        wait *it = &world.waits[i];
        if (it->prepared && it->ticket.value == ticket.value) {
            return it;
        }
    }
    return NULL;
}

static void note_opening(bp_ticket ticket, uint64_t asked) {
    wait *it = find_wait(ticket);
    if (it != NULL) {
        REQUIRE(!it->opened_for, "two permits for one waiter");
        it->opened_for = true;
        require_nobody_older_without_permit(it->join_began, asked, it, "an older waiter was passed over for a permit");
    }
}

bool requeue(bp_ticket ticket) {
    wait *it = find_wait(ticket);
    if (it != NULL) {
        it->opened_for = false;
        it->requeued = UINT64_MAX;
    }
    bp_status status = bp_wait_requeue(world.pool, ticket);
    REQUIRE(status == BP_OK || status == BP_STALE_TICKET, "bp_wait_requeue answers %s", bp_status_name(status));
    if (it != NULL) {
        it->requeued = event();
    }
    return status == BP_OK;
}

/* Either way round: before the permit has ended, and after. */
static void requeue_without_opening(bp_ticket ticket, bp_lease permit) {
    bool first = this_thread() % 2 == 1;
    if (first) {
        requeue(ticket);
    }
    disown(permit);
    REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open refuses");
    if (!first) {
        requeue(ticket);
    }
}

static void open_for(bp_ticket ticket, bp_lease permit, uint64_t asked) {
    void *context;
    note_opening(ticket, asked);
    note_permit(permit);
    bool opens = world.opens_to_fail == 0;
    if (!opens && world.requeues != 0) {
        world.opens_to_fail--;
        world.requeues--;
        requeue_without_opening(ticket, permit);
        return;
    }
    if (opens) {
        set_open(permit, true);
        REQUIRE(bp_finish_open(world.pool, permit) == BP_OK, "bp_finish_open refuses");
    } else {
        world.opens_to_fail--;
        disown(permit);
        REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open refuses");
    }
    bool claimed = bp_wait_claim(world.pool, ticket, &context) == BP_OK;
    if (claimed && opens) {
        resume_with(context, permit);
    } else if (claimed) {
        resume(context, RESUMED_OPEN_FAILED, none);
    } else if (opens) {
        disown(permit);
        bp_status status = bp_release(world.pool, permit);
        REQUIRE(status == BP_OK || status == BP_SETTLE, "bp_release refuses");
    }
}

static void close_or_put_back(bp_lease lease) {
    bp_status status = bp_begin_close_surplus(world.pool, lease);
    if (status == BP_OK) {
        set_open(lease, false);
        disown(lease);
        REQUIRE(bp_finish_close(world.pool, lease) == BP_OK, "bp_finish_close refuses");
    } else {
        REQUIRE(status == BP_EMPTY, "bp_begin_close_surplus answers %s", bp_status_name(status));
        disown(lease);
        REQUIRE(bp_put_back(world.pool, lease) == BP_OK, "bp_put_back refuses");
    }
}

void settle(void) {
    for (;;) {
        bp_lease lease;
        bp_ticket ticket;
        uint64_t asked = event();
        bool waits = bp_somebody_waits(world.pool);
        if (waits) {
            require_not_paused(asked, "served while the pool is paused");
        } else if (!bp_has_surplus(world.pool)) {
            return;
        }
        if (bp_take_idle(world.pool, &lease) == BP_OK) {
            own(lease, true);
            (waits ? hand_over_or_put_back : close_or_put_back)(lease);
        } else if (waits && bp_begin_open(world.pool, &ticket, &lease) == BP_OK) {
            open_for(ticket, lease, asked);
        } else {
            return;
        }
    }
}

/* Leases. */

bp_lease take_now(void) {
    uint64_t began = event();
    bp_lease lease = bp_try_acquire(world.pool);
    if (lease.slot != NULL) {
        require_not_overtaking(began, "a newcomer took what a waiter waits for");
        require_open_for_business(began, "leased after shutdown");
        require_not_paused(began, "leased while the pool is paused");
        own(lease, true);
    }
    return lease;
}

void give(bp_lease lease) {
    disown(lease);
    /* Either way of releasing, both in each scenario. */
    bool exclusive = this_thread() % 2 == 1;
    bp_status status = exclusive ? bp_release_exclusive(world.pool, lease) : bp_release(world.pool, lease);
    REQUIRE(status == BP_OK || status == BP_SETTLE, "bp_release answers %s", bp_status_name(status));
    if (status == BP_SETTLE) {
        settle();
    }
}

bool take_permit(bp_lease *permit) {
    uint64_t began = event();
    bp_status status = bp_begin_open_unasked(world.pool, permit);
    require_known_shutdown(status);
    if (status != BP_OK) {
        REQUIRE(status == BP_EMPTY || status == BP_LIMIT_REACHED || status == BP_SHUT_DOWN,
                "bp_begin_open_unasked answers %s", bp_status_name(status));
        return false;
    }
    require_not_overtaking_for_permit(began, "a newcomer took a permit that a waiter waits for");
    require_open_for_business(began, "a permit after shutdown");
    require_not_paused(began, "a permit while the pool is paused");
    note_permit(*permit);
    return true;
}

bool open_with(bp_lease permit) {
    if (world.opens_to_fail != 0) {
        world.opens_to_fail--;
        disown(permit);
        REQUIRE(bp_cancel_open(world.pool, permit) == BP_OK, "bp_cancel_open refuses");
        settle();
        return false;
    }
    set_open(permit, true);
    REQUIRE(bp_finish_open(world.pool, permit) == BP_OK, "bp_finish_open refuses");
    return true;
}

bool acquire(bp_lease *lease) {
    *lease = take_now();
    if (lease->slot != NULL) {
        return true;
    }
    if (take_permit(lease)) {
        return open_with(*lease);
    }
    wait *it = prepare(BP_NO_DEADLINE);
    return it != NULL && join_queue(it) && park(it, lease);
}

bool is_dead(bp_lease lease) {
    (void)lease;
    if (world.opens_dead == 0) {
        return false;
    }
    world.opens_dead--;
    return true;
}

void discard(bp_lease lease) {
    REQUIRE(bp_begin_close(world.pool, lease) == BP_OK, "bp_begin_close refuses");
    set_open(lease, false);
    disown(lease);
    REQUIRE(bp_finish_close(world.pool, lease) == BP_OK, "bp_finish_close refuses");
    settle();
}

void detach(bp_lease lease) {
    set_open(lease, false);
    disown(lease);
    REQUIRE(bp_detach(world.pool, lease) == BP_OK, "bp_detach refuses");
    settle();
}

bool reopen(bp_lease *lease) {
    set_open(*lease, false);
    bp_lease permit;
    REQUIRE(bp_reopen(world.pool, *lease, &permit) == BP_OK, "bp_reopen refuses");
    *lease = permit;
    return open_with(permit);
}

void resize(uint32_t max_size, uint32_t hard_limit) {
    world.greatest_limit = hard_limit > world.greatest_limit ? hard_limit : world.greatest_limit;
    bp_status status = bp_resize(world.pool, max_size, hard_limit);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_resize answers %s", bp_status_name(status));
    settle();
}

void pause_pool(void) {
    bp_status status = bp_pause(world.pool);
    require_known_shutdown(status);
    REQUIRE(status == BP_OK || status == BP_SHUT_DOWN, "bp_pause answers %s", bp_status_name(status));
    if (status == BP_OK && !world.is_being_shut_down) {
        world.paused_at = event();
    }
}

void resume_pool(void) {
    world.paused_at = 0;
    REQUIRE(bp_resume(world.pool) == BP_OK, "bp_resume refuses");
    settle();
}

void look_at_idle(unsigned count) {
    bp_lease lease;
    for (unsigned i = 0; i < count && bp_take_unswept(world.pool, &lease) == BP_OK; i++) {
        own(lease, true);
        if (is_dead(lease)) {
            discard(lease);
            continue;
        }
        disown(lease);
        bp_status status = bp_put_swept(world.pool, lease);
        REQUIRE(status == BP_OK || status == BP_SETTLE, "bp_put_swept answers %s", bp_status_name(status));
        if (status == BP_SETTLE) {
            settle();
        }
    }
}

void return_swept(void) {
    bp_status status;
    while ((status = bp_return_swept(world.pool)) != BP_EMPTY) {
        REQUIRE(status == BP_OK || status == BP_SETTLE, "bp_return_swept answers %s", bp_status_name(status));
        if (status == BP_SETTLE) {
            settle();
        }
    }
}

void sweep_idle(unsigned count) {
    look_at_idle(count);
    return_swept();
}

void shut_down(void) {
    world.is_being_shut_down = true;
    world.paused_at = 0;
    REQUIRE(bp_shutdown(world.pool) == BP_OK, "bp_shutdown refuses");
    if (world.shut_down_at == 0) {
        world.shut_down_at = event();
    }
    void *context;
    while (bp_hand_over(world.pool, &context) == BP_OK) {
        resume(context, BP_SHUT_DOWN, none);
    }
    settle();
}

/* Setting up. */

void world_create(uint32_t max_size, uint32_t hard_limit, uint32_t stripes) {
    world_create_limited(max_size, hard_limit, stripes, 0);
}

void world_create_limited(uint32_t max_size, uint32_t hard_limit, uint32_t stripes, uint32_t max_waiters) {
    memset(&world, 0, sizeof world);
    bp_pool_configuration configuration = {.max_size = max_size,
                                           .hard_limit = hard_limit,
                                           .max_waiters = max_waiters,
                                           .stripes = stripes,
                                           .element_size = sizeof(connection),
                                           .element_alignment = _Alignof(connection)};
    REQUIRE(bp_pool_create(&configuration, &world.pool) == BP_OK, "no pool");
    world.stripes = stripes;
    world.greatest_limit = hard_limit;
    world.max_waiters = max_waiters;
    world.timer = BP_NO_DEADLINE;
    world.clock_base = UINT64_C(1) << 40;
    world.freeze_allowance = 1;
    world.checks_contents = model != MEMORY_SC;
}

static bp_lease open_one(void) {
    bp_lease lease;
    REQUIRE(bp_begin_open_unasked(world.pool, &lease) == BP_OK, "no permit while setting up");
    own(lease, false);
    set_open(lease, true);
    REQUIRE(bp_finish_open(world.pool, lease) == BP_OK, "bp_finish_open refuses");
    return lease;
}

void add_leased(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        world.leases[i] = open_one();
    }
}

bp_lease take_over(unsigned index) {
    connection *it = connection_of(world.leases[index]);
    REQUIRE(it->owner == SET_UP_OWNER, "a lease is taken over twice");
    it->owner = self();
    return world.leases[index];
}

bp_lease surrender(unsigned index) {
    connection_of(take_over(index))->owner = NO_OWNER;
    return world.leases[index];
}

void take_back_leases(void) {
    for (unsigned i = 0; i < sizeof world.leases / sizeof *world.leases; i++) {
        bp_lease lease = world.leases[i];
        if (lease.slot != NULL && connection_of(lease)->owner == SET_UP_OWNER &&
            bp_lease_is_current(world.pool, lease)) {
            give(lease);
        }
    }
}

wait *add_waiter(uint64_t deadline) {
    wait *it = prepare(deadline);
    REQUIRE(it != NULL && join_queue(it), "no waiter while setting up");
    return it;
}

void add_idle(unsigned count) {
    bp_lease leases[8];
    for (unsigned i = 0; i < count; i++) {
        leases[i] = open_one();
    }
    for (unsigned i = 0; i < count; i++) {
        disown(leases[i]);
        bp_release(world.pool, leases[i]);
    }
}

unsigned slots_held(void) {
    unsigned held = 0, used = inspect(world.pool).used_slots;
    for (unsigned i = 0; i < used; i++) {
        held += connection_of((bp_lease){inspect_slot(world.pool, i), 0})->owner != NO_OWNER;
    }
    for (unsigned i = 0; i < world.wait_count; i++) {
        held += world.waits[i].resumed != 0 && world.waits[i].outcome == BP_OK && !world.waits[i].picked_up;
    }
    return held;
}
