/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Counts the transfers of cache lines between simulated CPUs.
 *
 *   transfers [--seed NUMBER]                    checks the limits in promises.h
 *   transfers [--seed NUMBER] --report FOLDER    writes the figures as a page and as charts
 */
#include "promises.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    uint64_t seed = 1;
    const char *folder = NULL;
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value != NULL && strcmp(arguments[i], "--seed") == 0) {
            seed = strtoull(value, NULL, 10);
        } else if (value != NULL && strcmp(arguments[i], "--report") == 0) {
            folder = value;
        } else {
            fprintf(stderr, "usage: transfers [--seed NUMBER] [--report FOLDER]\n");
            return 2;
        }
    }
    if (folder != NULL) {
        if (!write_report(folder, seed)) {
            perror(folder);
            return 1;
        }
        return 0;
    }
    if (!check_promises(seed)) {
        return 1;
    }
    printf("1 to 128 CPUs: no transfer per lease; at most %d per wait and hand-off by calls and %d by "
           "steps\n",
           MOST_PER_WAIT_BY_CALLS, MOST_PER_WAIT_BY_STEPS);
    return 0;
}
