/* Threads of the explorer: switched by hand, so that a schedule is a function of nothing but its decisions. */
#ifndef EXPLORER_FIBER_H
#define EXPLORER_FIBER_H

#include <stddef.h>

/* A suspended flow of control: its stack pointer, everything else is on its stack. */
typedef void *fiber;

/* Makes a fiber that calls entry, which must not return, on this stack. */
fiber fiber_make(void *stack, size_t size, void (*entry)(void));

/* Stores the caller into *from and goes on in to. */
void fiber_switch(fiber *from, fiber to) __asm__("explorer_fiber_switch");

#endif
