/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The version of the library.
 *
 * Versions follow Semantic Versioning. BP_VERSION is the version of the headers with which a program was compiled, and
 * bp_version() that of the library with which it runs.
 *
 *   from 1.0.0   A program that was compiled with one version runs with each later version of the same major number,
 *                without being compiled again.
 *   before 1.0.0 The same holds within a minor version: a program compiled with 0.1.0 runs with 0.1.1, and must be
 *                compiled again for 0.2.0.
 *
 * The soname follows the same rule: libburstpool.so.0.1 now, and libburstpool.so.1 for all versions from 1.0.0 until
 * 2.0.0.
 */
#ifndef BP_VERSION_H
#define BP_VERSION_H

#include <stdint.h>

#include "bp_export.h"

#define BP_VERSION_MAJOR 0
#define BP_VERSION_MINOR 1
#define BP_VERSION_PATCH 0

/* Returns a version as one number, so that versions can be compared: 0x010203 is 1.2.3. */
#define BP_VERSION_NUMBER(major, minor, patch) (((major) << 16) | ((minor) << 8) | (patch))
#define BP_VERSION BP_VERSION_NUMBER(BP_VERSION_MAJOR, BP_VERSION_MINOR, BP_VERSION_PATCH)

BP_BEGIN_DECLARATIONS

/* Version. */

/* Returns the version of the library as BP_VERSION_NUMBER makes it. Never fails. Can be called on any thread. */
uint32_t bp_version(void);

/* Returns the version of the library as text, for example "0.1.0". Never returns NULL. Can be called on any thread. */
const char *bp_version_string(void);

BP_END_DECLARATIONS

#endif
