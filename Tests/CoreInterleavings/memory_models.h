/* SPDX-License-Identifier: Apache-2.0 */

/* The two weak memory models: memory_tso.c and memory_views.c. For memory.c. */
#ifndef EXPLORER_MEMORY_MODELS_H
#define EXPLORER_MEMORY_MODELS_H

#include "atomics.h"

/* x86-TSO. A read-modify-write drains the thread's store buffer first: memory_drain. */
void tso_reset(void);
uint64_t tso_load(unsigned thread, const bp_atomic64 *cell);
void tso_store(unsigned thread, bp_atomic64 *cell, uint64_t value);

/* Views. */
void views_reset(void);
uint64_t view_load(unsigned thread, const bp_atomic64 *cell, bool acquire);
void view_store(unsigned thread, bp_atomic64 *cell, uint64_t value, bool release);
/* A read-modify-write that succeeds. */
void view_modify(unsigned thread, bp_atomic64 *cell, uint64_t value);
/* One that fails: an acquire load. */
void view_look(unsigned thread, const bp_atomic64 *cell);
void views_send(unsigned thread, unsigned channel);
void views_receive(unsigned thread, unsigned channel);

#endif
