/* Limits that change, and the limit of nothing: shutdown. */
#include "scenario.h"

static void set_up_one_leased(void) {
    world_create(1, 1, 2);
    add_leased(1);
}

static void give_mine(unsigned thread) {
    give(take_over(thread));
}

static void acquire_and_give(void) {
    bp_lease lease;
    if (acquire(&lease)) {
        give(lease);
    }
}

static void check_nobody_waits(void) {
    REQUIRE(!bp_somebody_waits(world.pool), "somebody still waits");
}

/* The only connection is out and stays out; one more is allowed while somebody joins. */
static void set_up_resize_up(void) {
    world_create(1, 1, 1);
    add_leased(1);
}

static void resize_up(unsigned thread) {
    if (thread == 0) {
        resize(2, 2);
    } else {
        acquire_and_give();
    }
}

static void check_and_take_back(void) {
    check_nobody_waits();
    take_back_leases();
}

/* Two connections come back while the limit sinks to one. */
static void set_up_resize_down(void) {
    world_create(2, 2, 2);
    add_leased(2);
}

static void resize_down(unsigned thread) {
    if (thread == 2) {
        resize(1, 1);
    } else {
        give_mine(thread);
    }
}

static void check_shrunk(void) {
    REQUIRE(bp_total(world.pool) <= 1, "%u connections stay, 1 may", bp_total(world.pool));
}

static void resize_down_and_up(unsigned thread) {
    if (thread == 0) {
        resize(1, 1);
        resize(2, 2);
    } else if (thread == 1) {
        give_mine(0);
        acquire_and_give();
    } else {
        acquire_and_give();
        give_mine(1);
    }
}

static void shut_down_beside_join(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else {
        wait_and_give();
    }
}

static void check_and_give_back(void) {
    check_nobody_waits();
    take_back_leases();
}

static void shut_down_beside_release(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        give_mine(0);
    } else {
        acquire_and_give();
    }
}

static void check_nothing_left(void) {
    REQUIRE(bp_total(world.pool) == 0, "%u connections are left after shutdown", bp_total(world.pool));
    check_nobody_waits();
}

static void set_up_one_idle(void) {
    world_create(1, 1, 2);
    add_idle(1);
}

static void set_up_empty(void) {
    world_create(2, 2, 1);
}

static void shut_down_beside_open(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else {
        acquire_and_give();
    }
}

static void set_up_one_place_and_waiter(void) {
    set_up_one_leased();
    add_waiter(BP_NO_DEADLINE);
    world.opens_to_fail = 1;
}

/* The place comes free, the waiter's opening begins, fails perhaps, and all is shut down. */
static void shut_down_beside_opening(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        discard(take_over(0));
    } else {
        cancel(&world.waits[0]);
    }
}

static void shut_down_twice(unsigned thread) {
    if (thread == 2) {
        give_mine(0);
    } else {
        shut_down();
    }
}

static void shut_down_beside_resize(unsigned thread) {
    if (thread == 0) {
        shut_down();
    } else if (thread == 1) {
        resize(3, 3);
    } else {
        acquire_and_give();
    }
}

/* Both are above the limit after the resize; one is in use and comes back, one is idle and must not be forgotten. */
static void set_up_surplus(void) {
    world_create(1, 3, 2);
    add_leased(3);
    add_waiter(BP_NO_DEADLINE);
}

static void surplus_beside_cancel(unsigned thread) {
    if (thread == 3) {
        cancel(&world.waits[0]);
    } else {
        give_mine(thread);
    }
}

static void surplus_of_two(unsigned thread) {
    if (thread == 1) {
        cancel(&world.waits[0]);
        give_mine(1);
    } else {
        give_mine(0);
        give_mine(2);
    }
}

const scenario limit_scenarios[] = {
    {"resize-up-vs-join", 2, set_up_resize_up, resize_up, check_and_take_back, false},
    {"resize-down-vs-return", 3, set_up_resize_down, resize_down, check_shrunk, false},
    {"resize-down-and-up", 3, set_up_resize_down, resize_down_and_up, check_nobody_waits, false},
    {"shutdown-vs-join", 3, set_up_one_leased, shut_down_beside_join, check_and_give_back, false},
    {"shutdown-vs-release", 3, set_up_one_leased, shut_down_beside_release, check_nothing_left, false},
    {"shutdown-vs-open", 3, set_up_empty, shut_down_beside_open, check_nothing_left, false},
    {"shutdown-vs-opening", 3, set_up_one_place_and_waiter, shut_down_beside_opening, check_nothing_left, false},
    {"shutdown-vs-resize", 3, set_up_one_idle, shut_down_beside_resize, check_nothing_left, false},
    {"shutdown-twice", 3, set_up_one_leased, shut_down_twice, check_nothing_left, false},
    {"surplus-vs-cancel", 4, set_up_surplus, surplus_beside_cancel, NULL, false},
    {"surplus-of-two", 2, set_up_surplus, surplus_of_two, NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};
