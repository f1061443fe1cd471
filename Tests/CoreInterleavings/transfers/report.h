/* SPDX-License-Identifier: Apache-2.0 */

/* The figures as a page and as charts. */
#ifndef TRANSFERS_REPORT_H
#define TRANSFERS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Writes transfers.md and its charts to this folder. Returns false if that fails. */
bool write_report(const char *folder, uint64_t seed);

#endif
