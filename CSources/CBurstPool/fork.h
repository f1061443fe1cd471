/* SPDX-License-Identifier: Apache-2.0 */

/* The list of all pools, which is needed after fork(). */
#ifndef BP_FORK_H
#define BP_FORK_H

#include "include/bp_pool.h"

/*
 * Every pool is in a list from its creation to its end. When a process forks, the child process sets the forked flag
 * of all pools in the list: the threads that wait for connections do not exist in the child, and the connections belong
 * to the parent. From then on each call with such a pool returns BP_FORKED.
 */
bool bp__remember_pool(bp_pool *pool); /* Returns false if no memory is left for the handlers of fork(). */
void bp__forget_pool(bp_pool *pool);

#endif
