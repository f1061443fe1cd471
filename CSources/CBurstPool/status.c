/* SPDX-License-Identifier: Apache-2.0 */

/* The messages and names of statuses, from the table in bp_status.h. */
#include "include/bp_status.h"

const char *bp_status_message(bp_status status) {
#define BP_STATUS_CASE(name, number, message)                                                                          \
    case name:                                                                                                         \
        return message;
    switch (status) { BP_STATUS_MAP(BP_STATUS_CASE) }
#undef BP_STATUS_CASE
    return "unknown status";
}

const char *bp_status_name(bp_status status) {
#define BP_STATUS_CASE(name, number, message)                                                                          \
    case name:                                                                                                         \
        return #name;
    switch (status) { BP_STATUS_MAP(BP_STATUS_CASE) }
#undef BP_STATUS_CASE
    return "unknown status";
}
