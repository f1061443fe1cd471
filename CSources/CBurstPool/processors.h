/* SPDX-License-Identifier: Apache-2.0 */

/* The number of CPUs that this process can use at the same time. */
#ifndef BP_PROCESSORS_H
#define BP_PROCESSORS_H

#include <stdint.h>

/*
 * Returns how many threads of this process can run at the same time: the number of CPUs on which the process may run,
 * or the quota of its control group, if that is less. At least 1.
 *
 * The quota is read once in the life of the process, and the CPUs at each call.
 */
uint32_t bp__processors(void);

/*
 * Returns the number of CPUs that the quota of this process's control group allows: the CPU time of each period divided
 * by the length of the period, rounded up. 0 if there is no limit. root is put in front of the paths of all files.
 *
 * Both versions of control groups are read. A limit of a group also holds for the groups in it, so the least limit
 * counts. A file that does not exist or has an unknown form is no limit.
 */
uint32_t bp__processor_quota(const char *root);

#endif
