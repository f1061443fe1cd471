/* SPDX-License-Identifier: Apache-2.0 */

#include "history.h"

const char *event_name(event_kind what) {
    static const char *const names[] = {
        [EVENT_TAKE] = "take",
        [EVENT_TAKE_IDLE] = "take idle",
        [EVENT_RELEASE] = "release",
        [EVENT_BEGIN_OPEN] = "begin to open",
        [EVENT_BEGIN_OPEN_UNREQUESTED] = "begin to open unrequested",
        [EVENT_FINISH_OPEN] = "finish opening",
        [EVENT_CANCEL_OPEN] = "cancel opening",
        [EVENT_BEGIN_CLOSE] = "begin to close",
        [EVENT_BEGIN_CLOSE_EXCESS] = "begin to close as excess",
        [EVENT_FINISH_CLOSE] = "finish closing",
        [EVENT_DETACH] = "detach",
        [EVENT_JOIN] = "join",
        [EVENT_HAND_OFF] = "hand off",
        [EVENT_CLAIM] = "claim",
        [EVENT_EXPIRE] = "expire",
        [EVENT_FIND_NO_WAITER] = "find no waiter",
        [EVENT_FIND_NO_WAITER_TO_OPEN] = "find no waiter to open for",
        [EVENT_FIND_NO_SLOT] = "find no free slot",
        [EVENT_RESIZE] = "resize",
        [EVENT_SHUT_DOWN] = "shut down",
        [EVENT_REST] = "rest",
    };
    return names[what];
}

void history_create(history *log, size_t capacity) {
    log->events = calloc(capacity, sizeof(event));
    log->count = 0;
    log->capacity = capacity;
    REQUIRE(log->events != NULL, "no memory for a log of %zu events", capacity);
}

void history_destroy(history *log) {
    free(log->events);
}
