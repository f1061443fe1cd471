/*
 * Explores the interleavings of the C core. See README.md.
 *
 *   explore [--seconds S] [--scenario NAME] [--first NAME,NAME] [--save FOLDER] [--stop]
 *   explore --regressions FOLDER
 *   explore --scenario NAME --replay SCHEDULE [--trace]
 *   explore --list
 */
#include "heap.h"
#include "inspect.h"
#include "memory.h"
#include "scenario.h"

#include "atomics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const scenario *const suites[] = {
    leasing_scenarios, opening_scenarios,     waiting_scenarios,  limit_scenarios,   excess_scenarios,
    queue_scenarios,   deadline_scenarios,    sweep_scenarios,    requeue_scenarios, rejection_scenarios,
    pause_scenarios,   observation_scenarios, blocking_scenarios, ending_scenarios,
    callback_scenarios};
#define SUITES (sizeof suites / sizeof *suites)
#define SCHEDULE_TEXT 8192

static const char *const model_names[] = {"sc", "tso", "view"};

static const scenario *exploring;
static const char *save_folder;

typedef struct {
    unsigned long schedules; /* Depth first, all bounds, sequentially consistent. */
    int complete_bound;      /* All schedules within this many preemptions were run; -1: not even those without. */
    unsigned long by_chance, frozen, tso, view;
    int frozen_bound, tso_bound, view_bound;
    unsigned most_steps;
    bool failed;
} result;

/* Of the processor, so that a busy machine explores no less. */
static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One run. */

static unsigned frozen_thread = NOBODY, frozen_after;

static void set_up(void) {
    forget_threads();
    heap_reset();
    explored_purge_slack = 2;
    explored_purge_limit = 4;
    exploring->set_up();
}

static bool run_once(void) {
    program it = {exploring->threads, exploring->body, frozen_thread, frozen_after, check_frozen};
    if (!passes(set_up)) {
        return false;
    }
    bool good =
        run(&it) && passes(check_at_rest) && (exploring->check == NULL || passes(exploring->check)) && finish_world();
    return good;
}

static void write_schedule(char *text, size_t size) {
    int length = snprintf(text, size, frozen_thread == NOBODY ? "%s:-:" : "%s:%u.%u:", model_names[model],
                          frozen_thread, frozen_after);
    schedule_write(text + length, size - (size_t)length);
}

static bool read_schedule(const char *text) {
    frozen_thread = NOBODY;
    for (unsigned i = 0; i < 3; i++) {
        size_t length = strlen(model_names[i]);
        if (strncmp(text, model_names[i], length) == 0 && text[length] == ':') {
            model = (memory_model)i;
            text += length + 1;
            if (*text != '-' && sscanf(text, "%u.%u", &frozen_thread, &frozen_after) != 2) {
                return false;
            }
            text = strchr(text, ':');
            return text != NULL && schedule_replay(text + 1);
        }
    }
    return false;
}

static void report_failure(void) {
    static char text[SCHEDULE_TEXT];
    char reason[sizeof failure_text];
    memcpy(reason, failure_text, sizeof reason);
    write_schedule(text, sizeof text);
    printf("\nFAILED %s: %s\n  explore --scenario %s --replay %s\n", exploring->name, reason, exploring->name, text);
    if (save_folder != NULL) {
        char path[1024];
        unsigned hash = 5381;
        for (const char *c = text; *c != '\0'; c++) {
            hash = hash * 33 + (unsigned char)*c;
        }
        snprintf(path, sizeof path, "%s/%s-%08x.schedule", save_folder, exploring->name, hash);
        FILE *file = fopen(path, "w");
        if (file != NULL) {
            fprintf(file, "# %s\n%s\n%s\n", reason, exploring->name, text);
            fclose(file);
            printf("  saved as %s\n", path);
        }
    }
}

static bool run_and_report(result *it) {
    if (!run_once()) {
        report_failure();
        it->failed = true;
        return false;
    }
    it->most_steps = run_steps > it->most_steps ? run_steps : it->most_steps;
    return true;
}

/* Many runs. */

/* All schedules of one bound after the other, until the time is over. */
static bool explore_depth_first(result *it, double until, unsigned first, unsigned last, unsigned long *count,
                                int *complete) {
    for (unsigned bound = first; bound <= last; bound++) {
        schedule_depth_first(bound);
        do {
            if (!run_and_report(it)) {
                return false;
            }
            ++*count;
            if (*count % 16 == 0 && seconds_now() > until) {
                return true;
            }
        } while (schedule_next_depth_first());
        *complete = (int)bound;
    }
    return true;
}

static void freeze_somewhere(const result *it, uint64_t seed) {
    uint64_t mixed = seed * UINT64_C(0x9e3779b97f4a7c15);
    frozen_thread = (unsigned)(mixed >> 32) % exploring->threads;
    frozen_after = (unsigned)(mixed >> 40) % (it->most_steps / exploring->threads + 1);
}

/* Under the weak models every fourth run has a frozen thread as well. */
static bool explore_at_random(result *it, double until, uint64_t seed, unsigned long *count) {
    for (; seconds_now() < until; seed++) {
        frozen_thread = NOBODY;
        if (model != MEMORY_SC && seed % 4 == 0 && !exploring->is_not_frozen) {
            freeze_somewhere(it, seed);
        }
        schedule_at_random(seed % 3 == 0 ? BY_CHANCE : BY_PRIORITIES, seed, 1 + (unsigned)(seed % 5), it->most_steps);
        if (!run_and_report(it)) {
            return false;
        }
        ++*count;
    }
    frozen_thread = NOBODY;
    return true;
}

/* One thread, after so many of its steps, in all orders within the bound. False: a failure, or the time is over. */
static bool explore_frozen_there(result *it, double until, unsigned bound, bool *reached) {
    schedule_depth_first(bound);
    do {
        if (!run_and_report(it)) {
            return false;
        }
        it->frozen++;
        *reached = *reached || thread_steps[frozen_thread] > frozen_after;
        if (seconds_now() > until) {
            return false;
        }
    } while (schedule_next_depth_first());
    return true;
}

static bool explore_frozen_everywhere(result *it, double until, unsigned bound) {
    for (frozen_thread = 0; frozen_thread < exploring->threads; frozen_thread++) {
        bool reached = true;
        for (frozen_after = 0; reached; frozen_after++) {
            reached = false;
            if (!explore_frozen_there(it, until, bound, &reached)) {
                return false;
            }
        }
    }
    return true;
}

/* Each thread at each of its steps, in all orders without preemptions, with one, ...; then anywhere in random
 * schedules. */
static bool explore_frozen(result *it, double until, uint64_t seed) {
    double until_all = until - (until - seconds_now()) / 4;
    for (unsigned bound = 0; bound <= 4 && explore_frozen_everywhere(it, until_all, bound); bound++) {
        it->frozen_bound = (int)bound;
    }
    for (; !it->failed && seconds_now() < until; seed++) {
        freeze_somewhere(it, seed);
        schedule_at_random(seed % 3 == 0 ? BY_CHANCE : BY_PRIORITIES, seed, 1 + (unsigned)(seed % 4), it->most_steps);
        run_and_report(it);
        it->frozen++;
    }
    frozen_thread = NOBODY;
    return !it->failed;
}

static bool explore_scenario(result *it, double seconds, uint64_t seed) {
    double start = seconds_now();
    frozen_thread = NOBODY;
    *it = (result){.complete_bound = -1, .frozen_bound = -1, .tso_bound = -1, .view_bound = -1};
    model = MEMORY_SC;
    if (!explore_depth_first(it, start + seconds * 0.3, 0, 8, &it->schedules, &it->complete_bound) ||
        !explore_at_random(it, start + seconds * 0.5, seed, &it->by_chance)) {
        return false;
    }
    if (!exploring->is_not_frozen && !explore_frozen(it, start + seconds * 0.7, seed)) {
        return false;
    }
    for (model = MEMORY_TSO; model <= MEMORY_VIEW; model++) {
        unsigned long *count = model == MEMORY_TSO ? &it->tso : &it->view;
        int *complete = model == MEMORY_TSO ? &it->tso_bound : &it->view_bound;
        double until = start + seconds * (model == MEMORY_TSO ? 0.85 : 1.0);
        if (!explore_depth_first(it, (seconds_now() + until) / 2, 0, 4, count, complete) ||
            !explore_at_random(it, until, seed, count)) {
            return false;
        }
    }
    model = MEMORY_SC;
    return true;
}

static const scenario *find_scenario(const char *name) {
    for (size_t suite = 0; suite < SUITES; suite++) {
        for (const scenario *it = suites[suite]; it->name != NULL; it++) {
            if (strcmp(it->name, name) == 0) {
                return it;
            }
        }
    }
    return NULL;
}

static void print_operation(const char *operation, const void *cell, uint64_t value) {
    char name[64];
    inspect_name(world.pool, cell, name, sizeof name);
    printf("%5u  %*s%u: %s %s = %llx\n", run_steps, (int)this_thread() * 30, "", this_thread(), operation, name,
           (unsigned long long)value);
}

static int replay(const char *name, const char *text) {
    exploring = find_scenario(name);
    if (exploring == NULL || !read_schedule(text)) {
        fprintf(stderr, "no such scenario, or no schedule: %s %s\n", name, text);
        return 2;
    }
    result ignored = {0};
    bool good = run_and_report(&ignored);
    printf("%s %s: %s\n", name, good ? "passed" : "failed", good ? "" : failure_text);
    return good ? 0 : 1;
}

static unsigned replay_folder(const char *folder, unsigned *passed) {
    unsigned failures = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (strstr(entry->d_name, ".schedule") == NULL) {
            continue;
        }
        char path[1024], name[256];
        static char text[SCHEDULE_TEXT];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "r");
        bool read = file != NULL && fscanf(file, "#%*[^\n] %255s %8191s", name, text) == 2;
        if (file != NULL) {
            fclose(file);
        }
        bool good = read && replay(name, text) == 0;
        *passed += good;
        failures += !good;
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return failures;
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
            for (size_t suite = 0; suite < SUITES; suite++) {
                for (const scenario *it = suites[suite]; it->name != NULL; it++) {
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
        for (size_t suite = 0; suite < SUITES; suite++) {
            for (const scenario *it = suites[suite]; it->name != NULL; it++) {
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
        exploring = order[done];
        if (is_terminal) {
            fprintf(stderr, "\r%u of %u: %-40s", done + 1, count, exploring->name);
        }
        /* Those to be tried first have half of the time among them: it is there that something is looked for. */
        bool half = count_first != 0 && count_first != count;
        double share = !half                ? seconds / count
                       : done < count_first ? seconds / 2 / count_first
                                            : seconds / 2 / (count - count_first);
        bool good = explore_scenario(&results[done++], share, seed);
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
