/* SPDX-License-Identifier: Apache-2.0 */

/* The table of what was explored. */
#ifndef EXPLORER_TABLE_H
#define EXPLORER_TABLE_H

#include "workers.h"

/* Prints it, and adds to the counts of scenarios. One that was begun and has no result counts as failed. */
void print_table(const work *done, unsigned count, unsigned *passed, unsigned *failed);

#endif
