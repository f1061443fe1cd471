/* SPDX-License-Identifier: Apache-2.0 */

/* Asks the system's headers for POSIX and the CPU affinity of Linux. To be included before all others. */
#ifndef BP_POSIX_H
#define BP_POSIX_H

#if !defined(__APPLE__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#endif
