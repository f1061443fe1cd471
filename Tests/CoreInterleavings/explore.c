/*
 * Explores the interleavings of the C core. See README.md.
 *
 *   explore [--seconds S] [--scenario NAME] [--first NAME,NAME] [--save FOLDER] [--stop]
 *   explore --regressions FOLDER
 *   explore --scenario NAME --replay SCHEDULE [--trace]
 *   explore --list
 */
#include "exploring.h"
#include "inspect.h"
#include "memory.h"
#include "scenario.h"
#include "schedules.h"

#include "atomics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_operation(const char *operation, const void *cell, uint64_t value) {
    char name[64];
    inspect_name(world.pool, cell, name, sizeof name);
    printf("%5u  %*s%u: %s %s = %llx\n", run_steps, (int)this_thread() * 30, "", this_thread(), operation, name,
           (unsigned long long)value);
}

/* The table. */

static void print_bound(int bound, unsigned long count, char *text, size_t size) {
    snprintf(text, size, bound < 0 ? "%lu" : "%lu (all of %d)", count, bound);
}

static void print_result(const scenario *it, const result *found) {
    char depth_first[64], frozen[64], tso[64], view[64];
    print_bound(found->complete_bound, found->schedules, depth_first, sizeof depth_first);
    print_bound(found->frozen_bound, found->frozen, frozen, sizeof frozen);
    print_bound(found->tso_bound, found->tso, tso, sizeof tso);
    print_bound(found->view_bound, found->view, view, sizeof view);
    printf("%-28s %u %20s %9lu %18s %18s %18s %6u  %s\n", it->name, it->threads, depth_first, found->by_chance, frozen,
           tso, view, found->most_steps, found->failed ? "FAILED" : "ok");
}

static bool is_named(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at != NULL && (at = strstr(at, name)) != NULL; at += length) {
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    double seconds = 60;
    const char *only = NULL, *first = NULL, *schedule = NULL, *regressions = NULL;
    bool stop = false;
    uint64_t seed = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--stop") == 0) {
            stop = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            memory_watcher = print_operation;
        } else if (strcmp(argv[i], "--list") == 0) {
            for (const scenario *const *suite = suites; *suite != NULL; suite++) {
                for (const scenario *it = *suite; it->name != NULL; it++) {
                    printf("%s\n", it->name);
                }
            }
            return 0;
        } else if (value != NULL && strcmp(argv[i], "--seconds") == 0) {
            seconds = atof(argv[++i]);
        } else if (value != NULL && strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[++i], NULL, 10);
        } else if (value != NULL && strcmp(argv[i], "--scenario") == 0) {
            only = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--first") == 0) {
            first = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--replay") == 0) {
            schedule = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--regressions") == 0) {
            regressions = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--save") == 0) {
            save_folder = argv[++i];
        } else {
            fprintf(stderr, "what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (schedule != NULL) {
        return only == NULL ? 2 : replay(only, schedule);
    }
    unsigned passed = 0, failures = 0;
    if (regressions != NULL) {
        failures += replay_folder(regressions, &passed);
        printf("%u regressions passed, %u failed\n", passed, failures);
    }
    const scenario *order[256];
    result results[256];
    unsigned count = 0, count_first = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (const scenario *const *suite = suites; *suite != NULL; suite++) {
            for (const scenario *it = *suite; it->name != NULL; it++) {
                if (is_named(first, it->name) == (pass == 0) && (only == NULL || is_named(only, it->name))) {
                    order[count++] = it;
                    count_first += pass == 0 && first != NULL;
                }
            }
        }
    }
    bool is_terminal = isatty(STDERR_FILENO);
    unsigned done = 0;
    while (done < count && !(stop && failures != 0)) {
        if (is_terminal) {
            fprintf(stderr, "\r%u of %u: %-40s", done + 1, count, order[done]->name);
        }
        /* Those to be tried first have half of the time among them: it is there that something is looked for. */
        bool half = count_first != 0 && count_first != count;
        double share = !half                ? seconds / count
                       : done < count_first ? seconds / 2 / count_first
                                            : seconds / 2 / (count - count_first);
        bool good = explore_scenario(order[done], share, seed, &results[done]);
        done++;
        passed += good;
        failures += !good;
    }
    printf("%s%-28s t %20s %9s %18s %18s %18s %6s\n", is_terminal ? "\r" : "", "scenario", "depth first", "random",
           "frozen", "x86-TSO", "views", "steps");
    for (unsigned i = 0; i < done; i++) {
        print_result(order[i], &results[i]);
    }
    printf("all of N: all schedules with at most N preemptions\n");
    printf("%u passed, %u failed\n", passed, failures);
    return failures == 0 ? 0 : 1;
}
