/*
 * What a process has of the system, as far as Swift cannot ask.
 */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stddef.h>

/* Bytes that the system's allocator has given out and not got back; 0 where it does not tell. */
size_t footprint_heap_bytes(void);

/*
 * Sockets that are or were one end of a connection, be it that the other end has gone. Not those that listen, nor
 * those without a name, such as the pairs by which a process watches its children.
 */
int footprint_connections(void);

#endif
