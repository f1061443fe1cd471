/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Explores the interleavings of the C core. See README.md.
 *
 *   explore [--runs N] [--first-runs N] [--scenario NAME,NAME] [--first NAME,NAME] [--seed N] [--jobs N]
 *           [--save FOLDER] [--save-as FILE] [--stop] [--regressions FOLDER] [--without NAME,NAME] [--without-views]
 *   explore --schedule FILE [--trace]
 *   explore --scenario NAME --replay SCHEDULE [--trace]
 *   explore --list
 *
 * --runs: how many for each scenario and number of stripes. --first: the scenarios to explore before all others, with
 * --first-runs. --stop: ends after the first failure. --regressions: replays the schedules in this folder before.
 */
#include "exploring.h"
#include "inspect.h"
#include "memory.h"
#include "scenario.h"
#include "schedules.h"
#include "table.h"
#include "workers.h"

#include "atomics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    unsigned long runs, first_runs;
    const char *only, *without, *first, *schedule, *file, *regressions;
    uint64_t seed;
    unsigned jobs;
    bool stop, lists;
} options;

static void print_operation(const char *operation, const void *cell, uint64_t value) {
    char name[64];
    inspect_name(world.pool, cell, name, sizeof name);
    printf("%5u  %*s%u: %s %s = %llx\n", run_steps, (int)this_thread() * 30, "", this_thread(), operation, name,
           (unsigned long long)value);
}

static bool read_flag(options *it, const char *name) {
    if (strcmp(name, "--stop") == 0) {
        it->stop = true;
    } else if (strcmp(name, "--trace") == 0) {
        memory_watcher = print_operation;
    } else if (strcmp(name, "--without-views") == 0) {
        explores_views = false;
    } else if (strcmp(name, "--list") == 0) {
        it->lists = true;
    } else {
        return false;
    }
    return true;
}

static bool read_value(options *it, const char *name, const char *value) {
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"--scenario", &it->only},           {"--without", &it->without}, {"--first", &it->first},
        {"--replay", &it->schedule},         {"--schedule", &it->file},   {"--save", &save_folder},
        {"--regressions", &it->regressions}, {"--save-as", &save_file},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].text = value;
            return true;
        }
    }
    unsigned long long number = strtoull(value, NULL, 10);
    if (strcmp(name, "--runs") == 0) {
        it->runs = (unsigned long)number;
    } else if (strcmp(name, "--first-runs") == 0) {
        it->first_runs = (unsigned long)number;
    } else if (strcmp(name, "--seed") == 0) {
        it->seed = number;
    } else if (strcmp(name, "--jobs") == 0) {
        it->jobs = (unsigned)number;
    } else {
        return false;
    }
    return true;
}

static bool read_options(options *it, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (read_flag(it, argv[i])) {
            continue;
        }
        if (i + 1 == argc || !read_value(it, argv[i], argv[i + 1])) {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return false;
        }
        i++;
    }
    return true;
}

static void list(void) {
    for (const scenario *const *suite = suites; *suite != NULL; suite++) {
        for (const scenario *it = *suite; it->name != NULL; it++) {
            printf("%s\n", it->name);
        }
    }
}

static bool is_named(const char *list_of_names, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list_of_names; at != NULL && (at = strstr(at, name)) != NULL; at += length) {
        if ((at == list_of_names || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Those to be tried first, and then the others. */
static unsigned choose_work(const options *it, work *chosen) {
    unsigned count = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const scenario *const *suite = suites; *suite != NULL; suite++) {
            for (const scenario *each = *suite; each->name != NULL; each++) {
                bool is_first = is_named(it->first, each->name);
                if (is_first == (pass == 0) && (it->only == NULL || is_named(it->only, each->name)) &&
                    !is_named(it->without, each->name)) {
                    chosen[count++] =
                        (work){.scenario = each, .name = each->name, .runs = is_first ? it->first_runs : it->runs};
                }
            }
        }
    }
    return count;
}

int main(int argc, char **argv) {
    static work chosen[MOST_WORK];
    options it = {.runs = 20000, .first_runs = 200000, .seed = 1, .jobs = 1};
    if (!read_options(&it, argc, argv)) {
        return 2;
    }
    report_crashes();
    if (it.lists) {
        list();
        return 0;
    }
    if (it.schedule != NULL) {
        return it.only == NULL ? 2 : replay(it.only, it.schedule);
    }
    if (it.file != NULL) {
        return replay_file(it.file);
    }
    unsigned passed = 0, failed = 0;
    if (it.regressions != NULL) {
        failed += replay_folder(it.regressions, &passed);
        printf("%u regressions passed, %u failed\n", passed, failed);
        if (it.stop && failed != 0) {
            return 1;
        }
    }
    unsigned count = choose_work(&it, chosen);
    const work *done = explore_all(chosen, count, it.seed, it.jobs, it.stop);
    print_table(done, count, &passed, &failed);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
