/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The limits that were in force at each time.
 *
 * A limit may have been in force between two moments if its resize had begun by the later one, and if no other resize
 * that began after it had ended was over by the earlier one.
 */
#include "checker.h"

static int by_begin(const void *left, const void *right) {
    const event *a = *(const event *const *)left, *b = *(const event *const *)right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

void limits_create(limits_in_force *all, const event *events, size_t count, pool_limits first) {
    *all = (limits_in_force){.first = first};
    for (size_t i = 0; i < count; i++) {
        all->count += events[i].what == EVENT_RESIZE || events[i].what == EVENT_SHUT_DOWN;
    }
    all->resizes = malloc((all->count + 1) * sizeof *all->resizes);
    all->latest_end = malloc((all->count + 1) * sizeof *all->latest_end);
    all->superseded = malloc((all->count + 1) * sizeof *all->superseded);
    all->begins = malloc((all->count + 1) * sizeof *all->begins);
    all->ends = malloc((all->count + 1) * sizeof *all->ends);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) { /* By their ends. */
        if (events[i].what == EVENT_RESIZE || events[i].what == EVENT_SHUT_DOWN) {
            uint64_t earlier = used > 0 ? all->superseded[used - 1] : 0;
            all->ends[used] = events[i].end;
            all->superseded[used] = events[i].begin > earlier ? events[i].begin : earlier;
            all->resizes[used++] = &events[i];
        }
    }
    qsort(all->resizes, used, sizeof *all->resizes, by_begin);
    for (size_t i = 0; i < used; i++) {
        all->begins[i] = all->resizes[i]->begin;
        uint64_t earlier = i > 0 ? all->latest_end[i - 1] : 0;
        all->latest_end[i] = all->resizes[i]->end > earlier ? all->resizes[i]->end : earlier;
    }
}

void limits_destroy(limits_in_force *all) {
    free(all->resizes);
    free(all->latest_end);
    free(all->superseded);
    free(all->begins);
    free(all->ends);
}

/* Returns the number of elements that are not above value. */
static size_t count_up_to(const uint64_t *ascending, size_t count, uint64_t value) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ascending[middle] <= value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

pool_limits limits_between(const limits_in_force *all, uint64_t begin, uint64_t end) {
    size_t over = begin > 0 ? count_up_to(all->ends, all->count, begin - 1) : 0;
    uint64_t since = over > 0 ? all->superseded[over - 1] : 0; /* What had ended before this is not in force. */
    pool_limits found = over > 0 ? (pool_limits){UINT32_MAX, 0} : all->first;
    for (size_t i = count_up_to(all->begins, all->count, end); i > 0 && all->latest_end[i - 1] >= since; i--) {
        const event *it = all->resizes[i - 1];
        if (it->end >= since) {
            bool is_shutdown = it->what == EVENT_SHUT_DOWN;
            uint32_t soft = is_shutdown ? 0 : (uint32_t)it->value, hard = is_shutdown ? 0 : (uint32_t)it->other;
            found.max_size = soft < found.max_size ? soft : found.max_size;
            found.hard_limit = hard > found.hard_limit ? hard : found.hard_limit;
        }
    }
    return found;
}
