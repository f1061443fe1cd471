/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The number of connections.
 *
 * A slot is certainly occupied from the end of the call that occupied it until the beginning of the call that frees
 * it. A permit is right if, at some moment of its call, the slots that were certainly occupied, including this one,
 * were not more than the highest hard limit that may have been in force during the call.
 *
 * A slot may be occupied from the beginning of the call that occupies it until the end of the call that frees it. A
 * connection is rightly closed as excess if, at some moment of that call, the slots that may have been occupied were
 * more than the lowest soft limit that may have been in force. Slots whose close had begun do not count. A thread that
 * looks for a waiter to open a connection for occupies a slot meanwhile, even if it finds none.
 */
#include "checker.h"

/* A change of a count. */
typedef struct {
    uint64_t time;
    int by;
    int count; /* After the step. */
} step;

typedef struct {
    step *steps;
    size_t count;
} course;

static int by_time(const void *left, const void *right) {
    const step *a = left, *b = right;
    return a->time != b->time ? (a->time > b->time) - (a->time < b->time) : a->by - b->by;
}

static void course_finish(course *it) {
    qsort(it->steps, it->count, sizeof *it->steps, by_time);
    for (size_t i = 0; i < it->count; i++) {
        it->steps[i].count = (i > 0 ? it->steps[i - 1].count : 0) + it->steps[i].by;
    }
}

/* Returns the first step after a moment. */
static size_t course_after(const course *it, uint64_t time) {
    size_t low = 0, high = it->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (it->steps[middle].time <= time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Returns the lowest or the highest count at any moment after begin and before end. */
static int course_extreme(const course *it, uint64_t begin, uint64_t end, bool greatest) {
    size_t i = course_after(it, begin);
    int found = i > 0 ? it->steps[i - 1].count : 0;
    for (; i < it->count && it->steps[i].time < end; i++) {
        int count = it->steps[i].count;
        if (greatest ? count > found : count < found) {
            found = count;
        }
    }
    return found;
}

static void course_add(course *it, uint64_t time, int by) {
    if (by != 0) {
        it->steps[it->count++] = (step){.time = time, .by = by};
    }
}

static const char *check_counts(const event *events, size_t count, const course *certain, const course *possible,
                                const limits_in_force *limits) {
    for (size_t i = 0; i < count; i++) {
        const event *it = &events[i];
        if (it->what == EVENT_BEGIN_OPEN || it->what == EVENT_BEGIN_OPEN_UNREQUESTED) {
            uint32_t hard_limit = limits_between(limits, it->begin, it->end).hard_limit;
            /* The slot itself counts from the end of the call, which is outside the examined time. */
            if (course_extreme(certain, it->begin, it->end, false) + 1 > (int)hard_limit) {
                return complain("a permit beyond the hard limit", it, NULL);
            }
        } else if (it->what == EVENT_BEGIN_CLOSE_EXCESS) {
            uint32_t max_size = limits_between(limits, it->begin, it->end).max_size;
            if (course_extreme(possible, it->begin, it->end, true) <= (int)max_size) {
                return complain("a connection was closed as excess, and none was excess", it, NULL);
            }
        }
    }
    return NULL;
}

const char *check_total(const event *events, size_t count, pool_limits first) {
    limits_in_force limits;
    limits_create(&limits, events, count, first);
    course certain = {malloc((count + 1) * sizeof(step)), 0}, possible = {malloc((2 * count + 1) * sizeof(step)), 0};
    for (size_t i = 0; i < count; i++) {
        const event *it = &events[i];
        int by = total_changed_by(it->what), open_by = by - change_by(it->what).closing;
        /* Steps at the same moment overlap. */
        course_add(&certain, by > 0 ? it->end + 1 : it->begin, by);
        course_add(&possible, open_by > 0 ? it->begin : it->end + 1, open_by);
        if (it->what == EVENT_FIND_NO_WAITER_TO_OPEN || it->what == EVENT_FIND_NO_SLOT) {
            course_add(&possible, it->begin, +1);
            course_add(&possible, it->end + 1, -1);
        }
    }
    course_finish(&certain);
    course_finish(&possible);
    const char *wrong = check_counts(events, count, &certain, &possible, &limits);
    free(certain.steps);
    free(possible.steps);
    limits_destroy(&limits);
    return wrong;
}
