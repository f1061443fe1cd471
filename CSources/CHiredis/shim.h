/* SPDX-License-Identifier: Apache-2.0 */

/* hiredis. BurstPoolRedis uses its reply reader and its command formatter, but not its sockets. */
#ifndef CHIREDIS_SHIM_H
#define CHIREDIS_SHIM_H

#if !__has_include(<hiredis/hiredis.h>)
#error "hiredis is missing. Debian and Ubuntu: apt-get install libhiredis-dev. macOS: brew install hiredis."
#else

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

/*
 * The pending bytes: the bytes that the reader has in its buffer and has not parsed yet.
 *
 * redisReaderGetReply() returns without a reply when it needs more bytes, and does not tell how many. A malicious peer
 * can announce a string of an exabyte, or send a line that never ends. The reader would search such a line again from
 * its start for each byte that arrives. With the following functions, the caller notices both. Call them directly after
 * redisReaderGetReply() has returned no reply and no error.
 */

/* Returns the number of pending bytes. */
static inline size_t chiredis_pending_length(const redisReader *reader) {
    return reader->len - reader->pos;
}

/* Returns the type (REDIS_REPLY_...) of the item that is being read, or -1 if its first byte has not arrived. */
static inline int chiredis_pending_type(const redisReader *reader) {
    if (reader->ridx < 0)
        return -1;
#if HIREDIS_MAJOR >= 1
    return reader->task[reader->ridx]->type;
#else
    return reader->rstack[reader->ridx].type;
#endif
}

/* Returns whether a line ends within the first `limit` pending bytes. */
static inline int chiredis_pending_has_line(const redisReader *reader, size_t limit) {
    const char *from = reader->buf + reader->pos;
    size_t left = chiredis_pending_length(reader);
    if (left > limit)
        left = limit;
    while (left >= 2) {
        const char *cr = memchr(from, '\r', left - 1);
        if (cr == NULL)
            return 0;
        if (cr[1] == '\n')
            return 1;
        left -= (size_t)(cr + 1 - from);
        from = cr + 1;
    }
    return 0;
}

/*
 * Returns the announced length of the bulk string that is being read, or -1 if none is being read or its length has not
 * arrived yet.
 */
static inline long long chiredis_pending_bulk_length(const redisReader *reader) {
    if (chiredis_pending_type(reader) != REDIS_REPLY_STRING || !chiredis_pending_has_line(reader, 32))
        return -1;
    return strtoll(reader->buf + reader->pos, NULL, 10);
}

#endif
#endif
