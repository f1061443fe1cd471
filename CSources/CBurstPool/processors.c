/* SPDX-License-Identifier: Apache-2.0 */

/* The number of CPUs on which a process may run, and the quota of its control group. See processors.h. */
#include "posix.h"

#include "processors.h"

#include "atomics.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

#define BP_PATH_SIZE 4096
/* Where both versions of control groups are mounted. */
#define BP_CONTROL_GROUPS "/sys/fs/cgroup"

/* Reads the beginning of a file as text. Returns false if there is no such file. */
static bool bp__read_file(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return false;
    }
    ssize_t length = read(file, text, size - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Returns quota / period, rounded up, and at least 1; 0 if one of them is no positive number, which means no limit. */
static uint32_t bp__periods(long long quota, long long period) {
    if (quota <= 0 || period <= 0) {
        return 0;
    }
    long long periods = quota / period + (quota % period != 0);
    return periods > INT32_MAX ? INT32_MAX : (uint32_t)periods;
}

/* Returns the limit of one group of version 2, whose file says "QUOTA PERIOD" or "max PERIOD". */
static uint32_t bp__quota_of_group_2(const char *group) {
    char path[BP_PATH_SIZE + 16];
    char text[128];
    snprintf(path, sizeof(path), "%s/cpu.max", group);
    if (!bp__read_file(path, text, sizeof(text))) {
        return 0;
    }
    char *end;
    long long quota = strtoll(text, &end, 10);
    return bp__periods(quota, strtoll(end, NULL, 10));
}

/* Returns the limit of one group of version 1, which has a file for each number. */
static uint32_t bp__quota_of_group_1(const char *group) {
    char path[BP_PATH_SIZE + 32];
    char quota[64];
    char period[64];
    snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", group);
    if (!bp__read_file(path, quota, sizeof(quota))) {
        return 0;
    }
    snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", group);
    return bp__read_file(path, period, sizeof(period))
               ? bp__periods(strtoll(quota, NULL, 10), strtoll(period, NULL, 10))
               : 0;
}

/*
 * Returns the least limit of a group and of the groups that contain it, up to the mount point. In a container, the path
 * may be the one outside of it, and only the files at the mount point exist.
 */
static uint32_t bp__least_quota(const char *mount, const char *path, uint32_t (*quota_of)(const char *group)) {
    char group[BP_PATH_SIZE];
    if ((size_t)snprintf(group, sizeof(group), "%s%s", mount, path) >= sizeof(group)) {
        return 0;
    }
    uint32_t least = 0;
    for (size_t length = strlen(group); length >= strlen(mount);) {
        group[length] = '\0';
        uint32_t quota = quota_of(group);
        if (quota != 0 && (least == 0 || quota < least)) {
            least = quota;
        }
        if (length == strlen(mount)) {
            break;
        }
        char *slash = strrchr(group, '/');
        length = (size_t)(slash - group);
    }
    return least;
}

/* Returns whether a list such as "cpu,cpuacct" names the controller of CPU time. */
static bool bp__lists_cpu(const char *list) {
    for (const char *name = list; name != NULL; name = strchr(name, ',') == NULL ? NULL : strchr(name, ',') + 1) {
        if (strncmp(name, "cpu", 3) == 0 && (name[3] == ',' || name[3] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Returns the limit that a line "NUMBER:CONTROLLERS:PATH" of /proc/self/cgroup leads to. Changes the line. */
static uint32_t bp__quota_of_line(const char *root, char *line) {
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (path == NULL) {
        return 0;
    }
    controllers++;
    *path++ = '\0';
    char mount[BP_PATH_SIZE];
    int length;
    if (*controllers == '\0') {
        length = snprintf(mount, sizeof(mount), "%s" BP_CONTROL_GROUPS, root);
        return length < (int)sizeof(mount) ? bp__least_quota(mount, path, bp__quota_of_group_2) : 0;
    }
    if (!bp__lists_cpu(controllers)) {
        return 0;
    }
    length = snprintf(mount, sizeof(mount), "%s" BP_CONTROL_GROUPS "/%s", root, controllers);
    return length < (int)sizeof(mount) ? bp__least_quota(mount, path, bp__quota_of_group_1) : 0;
}

uint32_t bp__processor_quota(const char *root) {
    char path[BP_PATH_SIZE];
    char groups[BP_PATH_SIZE];
    if (snprintf(path, sizeof(path), "%s/proc/self/cgroup", root) >= (int)sizeof(path) ||
        !bp__read_file(path, groups, sizeof(groups))) {
        return 0;
    }
    uint32_t least = 0;
    char *rest;
    for (char *line = strtok_r(groups, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        uint32_t quota = bp__quota_of_line(root, line);
        if (quota != 0 && (least == 0 || quota < least)) {
            least = quota;
        }
    }
    return least;
}

/* Returns the quota, which the first call reads. Relaxed: each thread that reads the files finds the same quota. */
static uint32_t bp__known_quota(void) {
    static bp_atomic64 quota_plus_one; /* 0 while the quota has not been read. */
    uint64_t known = bp__load_relaxed(&quota_plus_one);
    if (known == 0) {
        known = (uint64_t)bp__processor_quota("") + 1;
        bp__store_relaxed(&quota_plus_one, known);
    }
    return (uint32_t)(known - 1);
}

static uint32_t bp__permitted_processors(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        return (uint32_t)CPU_COUNT(&set);
    }
#endif
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : (uint32_t)processors;
}

uint32_t bp__processors(void) {
    uint32_t processors = bp__permitted_processors();
    uint32_t quota = bp__known_quota();
    return quota != 0 && quota < processors ? quota : processors;
}
