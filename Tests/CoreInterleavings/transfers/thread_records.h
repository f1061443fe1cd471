/* SPDX-License-Identifier: Apache-2.0 */

/* The thread records of the core, for tasks instead of threads. */
#ifndef TRANSFERS_THREAD_RECORDS_H
#define TRANSFERS_THREAD_RECORDS_H

/* Creates a record for each task, in a line of its own in the simulated heap. */
void create_thread_records(void);

#endif
