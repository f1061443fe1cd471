/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many CPUs the core counts, and which number a thread has: with the quotas of control groups, which are files in a
 * folder that this program makes, and on the CPUs to which it binds its threads.
 */
#define _GNU_SOURCE
#include "program.h"

#include "../../CSources/CBurstPool/home_number.h"
#include "../../CSources/CBurstPool/processors.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/processors-XXXXXX";

/* Writes a file in the folder, with the folders on the way to it. */
static void write_file(const char *path, const char *text) {
    char name[512];
    snprintf(name, sizeof(name), "%s%s", root, path);
    for (char *slash = strchr(name + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        CHECK(mkdir(name, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(name, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void remove_files(void) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf '%s'/*", root);
    CHECK(system(command) == 0);
}

static void check_version_2(void) {
    CHECK(bp__processor_quota(root) == 0);

    write_file("/proc/self/cgroup", "0::/service\n");
    CHECK(bp__processor_quota(root) == 0);
    write_file("/sys/fs/cgroup/service/cpu.max", "max 100000\n");
    CHECK(bp__processor_quota(root) == 0);
    write_file("/sys/fs/cgroup/service/cpu.max", "200000 100000\n");
    CHECK(bp__processor_quota(root) == 2);
    write_file("/sys/fs/cgroup/service/cpu.max", "150000 100000\n");
    CHECK(bp__processor_quota(root) == 2);
    write_file("/sys/fs/cgroup/service/cpu.max", "1000 100000\n");
    CHECK(bp__processor_quota(root) == 1);
    write_file("/sys/fs/cgroup/service/cpu.max", "9223372036854775807 1\n");
    CHECK(bp__processor_quota(root) == INT32_MAX);
    write_file("/sys/fs/cgroup/service/cpu.max", "nonsense");
    CHECK(bp__processor_quota(root) == 0);
    write_file("/sys/fs/cgroup/service/cpu.max", "");
    CHECK(bp__processor_quota(root) == 0);

    /* The limit of a group also holds for the groups in it. */
    write_file("/proc/self/cgroup", "0::/machine/service/worker\n");
    write_file("/sys/fs/cgroup/machine/service/worker/cpu.max", "800000 100000\n");
    write_file("/sys/fs/cgroup/machine/service/cpu.max", "max 100000\n");
    write_file("/sys/fs/cgroup/machine/cpu.max", "300000 100000\n");
    CHECK(bp__processor_quota(root) == 3);
    write_file("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    CHECK(bp__processor_quota(root) == 1);
    remove_files();

    /* In a container, the mount point is the container's group, whatever path is told. */
    write_file("/proc/self/cgroup", "0::/\n");
    write_file("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    CHECK(bp__processor_quota(root) == 4);
    write_file("/proc/self/cgroup", "0::/system.slice/docker-0123.scope\n");
    CHECK(bp__processor_quota(root) == 4);
    write_file("/proc/self/cgroup", "0::\n");
    CHECK(bp__processor_quota(root) == 4);
    write_file("/proc/self/cgroup", "no line of this kind\n0:\n");
    CHECK(bp__processor_quota(root) == 0);
    remove_files();
}

static void check_version_1(void) {
    write_file("/proc/self/cgroup", "9:memory:/a\n4:cpuset:/a\n3:cpu,cpuacct:/docker/0123\n1:name=systemd:/a\n");
    CHECK(bp__processor_quota(root) == 0);
    write_file("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "-1\n");
    write_file("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000\n");
    CHECK(bp__processor_quota(root) == 0);
    write_file("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "250000\n");
    CHECK(bp__processor_quota(root) == 3);
    write_file("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "0\n");
    CHECK(bp__processor_quota(root) == 0);

    /* The path of the host, and the files of the container. */
    write_file("/proc/self/cgroup", "2:cpuacct,cpu:/kubepods/pod7/0123\n0::/\n");
    write_file("/sys/fs/cgroup/cpuacct,cpu/cpu.cfs_quota_us", "200000\n");
    write_file("/sys/fs/cgroup/cpuacct,cpu/cpu.cfs_period_us", "50000\n");
    CHECK(bp__processor_quota(root) == 4);

    /* Both versions at the same time: the least limit counts. */
    write_file("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    CHECK(bp__processor_quota(root) == 2);
    remove_files();
}

/* Not on musl, which registers no area for such numbers. */
#if defined(BP_HAS_RSEQ) && defined(__GLIBC__)
#define HAS_NUMBERS_OF_PROCESSORS

static cpu_set_t permitted;
static uint32_t thread_count;
static atomic_uint running, have_read;

/* Does not block: a number may go to another thread when its thread blocks. */
static void wait_until_all(atomic_uint *threads) {
    atomic_fetch_add(threads, 1);
    while (atomic_load(threads) < thread_count) {
    }
}

static void *read_home_number(void *argument) {
    uint32_t *number = argument;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(*number, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(bp__processors() == 1);
    wait_until_all(&running);
    *number = bp__home_number();
    wait_until_all(&have_read);
    return NULL;
}

/* Binds a thread to each CPU of the process. Returns whether all had different numbers. */
static bool threads_have_own_numbers(void) {
    pthread_t threads[CPU_SETSIZE];
    uint32_t numbers[CPU_SETSIZE];
    bool is_taken[CPU_SETSIZE] = {false};
    uint32_t used = 0;
    running = have_read = 0;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &permitted)) {
            numbers[used] = cpu;
            CHECK(pthread_create(&threads[used], NULL, read_home_number, &numbers[used]) == 0);
            used++;
        }
    }
    bool are_different = true;
    for (uint32_t i = 0; i < used; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        are_different = are_different && numbers[i] < CPU_SETSIZE && !is_taken[numbers[i]];
        is_taken[numbers[i] % CPU_SETSIZE] = true;
    }
    return are_different;
}

/* Another process may interrupt a thread at any time, whose number may then go to another thread. So several tries. */
static void check_home_numbers(void) {
    CHECK(sched_getaffinity(0, sizeof(permitted), &permitted) == 0);
    thread_count = (uint32_t)CPU_COUNT(&permitted);
    CHECK(bp__processors() >= 1 && bp__processors() <= thread_count);
    bool have_own_numbers = false;
    for (int tries = 0; tries < 100 && !have_own_numbers; tries++) {
        have_own_numbers = threads_have_own_numbers();
    }
    CHECK(have_own_numbers);
}
#endif

int main(void) {
    CHECK(mkdtemp(root) != NULL);
    check_version_2();
    check_version_1();
    CHECK(rmdir(root) == 0);
#ifdef HAS_NUMBERS_OF_PROCESSORS
    check_home_numbers();
#endif
    return 0;
}
