/* SPDX-License-Identifier: Apache-2.0 */

/* The version of the library. */
#include "include/bp_version.h"

#define BP_TEXT_OF(value) #value
#define BP_TEXT(value) BP_TEXT_OF(value)

uint32_t bp_version(void) {
    return BP_VERSION;
}

const char *bp_version_string(void) {
    return BP_TEXT(BP_VERSION_MAJOR) "." BP_TEXT(BP_VERSION_MINOR) "." BP_TEXT(BP_VERSION_PATCH);
}
