/* SPDX-License-Identifier: Apache-2.0 */

/* A program and a library of different versions: structures that are shorter or longer than the library's. */
#include <burstpool/bp_pool.h>
#include <burstpool/bp_version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The structures of a later version. */
typedef struct {
    bp_pool_configuration known;
    uint64_t added;
} later_configuration;

typedef struct {
    bp_pool_statistics known;
    uint64_t added;
} later_statistics;

typedef struct {
    bp_slot_view known;
    uint64_t added;
} later_view;

static int owners_released;

static void release_owner(void *owner) {
    owners_released += owner == &owners_released;
}

int main(void) {
    CHECK(bp_version() == BP_VERSION);
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", BP_VERSION_MAJOR, BP_VERSION_MINOR, BP_VERSION_PATCH);
    CHECK(strcmp(bp_version_string(), text) == 0);
    CHECK(BP_VERSION_NUMBER(1, 0, 0) > BP_VERSION_NUMBER(0, 255, 255));

    /* A later program that does not use what it has and the library has not. */
    later_configuration configuration = {.known = {.max_size = 2, .hard_limit = 3, .element_size = 8}};
    configuration.known.owner = &owners_released;
    configuration.known.release_owner = release_owner;
    configuration.known.size = sizeof configuration;
    bp_pool *pool;
    CHECK(bp_pool_create_sized(&configuration.known, &pool) == BP_OK && owners_released == 0);

    later_statistics statistics;
    memset(&statistics, 0xff, sizeof statistics);
    statistics.known.size = sizeof statistics;
    CHECK(bp_pool_statistics_get_sized(pool, &statistics.known) == BP_OK);
    CHECK(statistics.known.size == sizeof statistics.known && statistics.known.hard_limit == 3 &&
          statistics.added == 0);

    bp_lease permit;
    CHECK(bp_begin_open_unrequested(pool, &permit) == BP_OK);
    later_view view;
    memset(&view, 0xff, sizeof view);
    view.known.size = sizeof view;
    CHECK(bp_slot_at_sized(pool, 0, &view.known) == BP_OK);
    CHECK(view.known.size == sizeof view.known && view.known.state == BP_SLOT_OPENING && view.added == 0);
    view.known.size = sizeof view;
    CHECK(bp_slot_at_sized(pool, 1, &view.known) == BP_EMPTY && view.known.state == BP_SLOT_VACANT);

    /* The library writes nothing behind the structure of an earlier program. */
    struct {
        bp_pool_statistics known;
        unsigned char behind[8];
    } guarded;
    memset(&guarded, 0xee, sizeof guarded);
    CHECK(bp_pool_statistics_get(pool, &guarded.known) == BP_OK && guarded.known.opening == 1);
    for (size_t i = 0; i < sizeof guarded.behind; i++) {
        CHECK(guarded.behind[i] == 0xee);
    }

    /* Sizes that no version has. */
    statistics.known.size = 4;
    CHECK(bp_pool_statistics_get_sized(pool, &statistics.known) == BP_INVALID_ARGUMENT && statistics.known.size == 4);
    view.known.size = 0;
    CHECK(bp_slot_at_sized(pool, 0, &view.known) == BP_INVALID_ARGUMENT && view.known.size == 0);
    CHECK(bp_cancel_open(pool, permit) == BP_OK && bp_pool_destroy(pool) == BP_OK && owners_released == 1);

    configuration.known.size = 8;
    CHECK(bp_pool_create_sized(&configuration.known, &pool) == BP_INVALID_CONFIGURATION && pool == NULL);
    CHECK(owners_released == 1);

    /* A later program that wants what the library has not is told so. Its owner is released all the same. */
    configuration.known.size = sizeof configuration;
    configuration.added = 1;
    CHECK(bp_pool_create_sized(&configuration.known, &pool) == BP_INVALID_CONFIGURATION && pool == NULL);
    CHECK(owners_released == 2);

    /* The size that a program leaves in its configuration does not matter to bp_pool_create. */
    configuration.known.size = 1;
    CHECK(bp_pool_create(&configuration.known, &pool) == BP_OK && configuration.known.size == 1);
    CHECK(bp_pool_destroy(pool) == BP_OK && owners_released == 3);
    printf("structures of other versions are understood or refused\n");
    return 0;
}
