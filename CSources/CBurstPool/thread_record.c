/* SPDX-License-Identifier: Apache-2.0 */

/* The list of all thread records. See thread_record.h. */
#include "thread_record.h"

#include "type_stable_table.h"

#include <pthread.h>

static bp_atomic64 bp__newest_record; /* The address of the record that was added last. */
static pthread_key_t bp__record_key;  /* Its destructor runs when a thread ends. */
static bool bp__has_record_key;
static pthread_once_t bp__record_once = PTHREAD_ONCE_INIT;
_Thread_local bp_thread_record *bp__own_record;

static void bp__thread_ends(void *record) {
    bp__own_record = NULL;
    ((bp_thread_record *)record)->depth = 0;
    /* Release: pairs with the compare-and-swap of the thread that uses the record next. */
    bp__store(&((bp_thread_record *)record)->in_use, 0);
}

static void bp__create_record_key(void) {
    bp__has_record_key = pthread_key_create(&bp__record_key, bp__thread_ends) == 0;
}

bp_thread_record *bp__thread_records(void) {
    /* Acquire: pairs with the compare-and-swap that added the record. */
    return (bp_thread_record *)(uintptr_t)bp__load(&bp__newest_record);
}

static bp_thread_record *bp__find_unused_record(void) {
    for (bp_thread_record *it = bp__thread_records(); it != NULL; it = it->next) {
        uint64_t unused = 0;
        /* The load is relaxed: it only saves the compare-and-swap, which pairs with the store in bp__thread_ends. */
        if (bp__load_relaxed(&it->in_use) == 0 && bp__cas(&it->in_use, &unused, 1)) {
            return it;
        }
    }
    return NULL;
}

static bp_thread_record *bp__add_record(void) {
    bp_thread_record *record = bp__allocate_zeroed(sizeof *record, 64);
    if (record == NULL) {
        return NULL;
    }
    bp__store_relaxed(&record->in_use, 1);
    uint64_t newest = bp__load(&bp__newest_record);
    do {
        record->next = (bp_thread_record *)(uintptr_t)newest;
        /* Publishes the record: pairs with the load in bp__thread_records. */
    } while (!bp__cas(&bp__newest_record, &newest, (uint64_t)(uintptr_t)record));
    return record;
}

static bp_thread_record *bp__create_record(void) {
    pthread_once(&bp__record_once, bp__create_record_key);
    if (!bp__has_record_key) {
        return NULL;
    }
    bp_thread_record *record = bp__find_unused_record();
    if (record == NULL) {
        record = bp__add_record();
    }
    if (record != NULL && pthread_setspecific(bp__record_key, record) != 0) {
        /* Release, as in bp__thread_ends. */
        bp__store(&record->in_use, 0);
        record = NULL;
    }
    bp__own_record = record;
    return record;
}

void bp__forget_other_threads(void) {
    for (bp_thread_record *it = bp__thread_records(); it != NULL; it = it->next) {
        if (it != bp__own_record) {
            bp__store_relaxed(&it->inside, 0);
            bp__store_relaxed(&it->in_use, 0);
            it->depth = 0;
        }
    }
}

bp_thread_record *bp__thread_record(void) {
    return bp__own_record != NULL ? bp__own_record : bp__create_record();
}
