/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Schedules as text: written down, saved in a file, and replayed.
 *
 * A schedule is the memory model, perhaps the number of stripes, the frozen thread and its step or "-", and the
 * decisions that were not plain: "sc:1.17:12.1,40.2", or "sc/1:-:-" with one stripe. A file has three lines: what
 * failed, the scenario, the schedule.
 */
#ifndef EXPLORER_SCHEDULES_H
#define EXPLORER_SCHEDULES_H

#include <stdbool.h>

/* Where failures are saved: each in a file of its own in this folder, or the last one in this file. NULL: nowhere. */
extern const char *save_folder, *save_file;

/* Prints the schedule of the run that has just failed, and saves it. */
void report_failure(const char *reason);
/* 0: passed. 1: failed. 2: there is no such scenario, or the text is no schedule. */
int replay(const char *name, const char *text);
/* The same with a schedule from a file. */
int replay_file(const char *path);
/* Replays all schedules in a folder. Returns how many failed. */
unsigned replay_folder(const char *folder, unsigned *passed);

#endif
