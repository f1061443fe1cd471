/* SPDX-License-Identifier: Apache-2.0 */

/* Threads of the explorer. The explorer switches them itself, so that a schedule depends only on its decisions. */
#ifndef EXPLORER_FIBER_H
#define EXPLORER_FIBER_H

#include <stddef.h>

/* A suspended thread: its stack pointer. Everything else is on its stack. */
typedef void *fiber;

/* Makes a fiber that calls entry, which must not return, on this stack. */
fiber fiber_make(void *stack, size_t size, void (*entry)(void));

/* Stores the caller into *from and continues with to. */
void fiber_switch(fiber *from, fiber to) __asm__("explorer_fiber_switch");

#endif
