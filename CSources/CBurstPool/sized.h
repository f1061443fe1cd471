/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and writing structures of programs that were compiled with other versions of the headers: see "Versions" in
 * bp_pool.h. */
#ifndef BP_SIZED_H
#define BP_SIZED_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * The size of a structure up to its last member in version 0.1. The structure of every program has at least this size.
 * A member that is added later comes after the padding at the end, so that it changes the size.
 */
#define BP_SIZE_UP_TO(type, last_member) (offsetof(type, last_member) + sizeof(((type *)0)->last_member))

/* Reads the size, which is the first member of each of these structures. */
static inline size_t bp__sized_get(const void *structure) {
    size_t size;
    memcpy(&size, structure, sizeof size);
    return size;
}

/*
 * Reads a structure of the program. known: the size that this version of the library knows. Members that the program
 * does not know become 0. Returns false if the structure's size is less than least, or if the program has set a member
 * that this version of the library does not know.
 */
static inline bool bp__sized_read(void *into, size_t known, size_t least, const void *from) {
    size_t size = bp__sized_get(from);
    if (size < least) {
        return false;
    }
    for (size_t i = known; i < size; i++) {
        if (((const unsigned char *)from)[i] != 0) {
            return false;
        }
    }
    memset(into, 0, known);
    memcpy(into, from, size < known ? size : known);
    return true;
}

/*
 * Writes the members of a structure that both the program and this version of the library know, and sets the size of
 * the structure to the size of these members. Members that this version of the library does not know become 0.
 */
static inline void bp__sized_write(void *to, const void *from, size_t known) {
    size_t size = bp__sized_get(to);
    size_t written = size < known ? size : known;
    memcpy(to, from, written);
    memset((char *)to + written, 0, size - written);
    memcpy(to, &written, sizeof written);
}

#endif
