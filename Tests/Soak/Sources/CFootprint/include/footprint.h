/* SPDX-License-Identifier: Apache-2.0 */

/* Resources that this process uses and that Swift cannot query. */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stddef.h>

/* Bytes that the system's allocator has given out and that were not freed, or 0 if it does not tell. */
size_t footprint_heap_bytes(void);

/*
 * The number of sockets that are or were one end of a connection, whether the other end still exists or not. Listening
 * sockets, and sockets without a name, such as the pairs by which a process watches its children, are not counted.
 */
int footprint_connections(void);

#endif
