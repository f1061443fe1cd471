/* SPDX-License-Identifier: Apache-2.0 */

/* Schedules as text. See schedules.h. */
#include "schedules.h"

#include "decisions.h"
#include "memory.h"
#include "running.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SCHEDULE_TEXT 8192

static const char *const model_names[] = {"sc", "tso", "view"};

const char *save_folder, *save_file;

static void write_schedule(char *text, size_t size) {
    int length = snprintf(text, size, "%s", model_names[model]);
    if (explored_stripes != 0) {
        length += snprintf(text + length, size - (size_t)length, "/%u", explored_stripes);
    }
    length += frozen_thread == NOBODY
                  ? snprintf(text + length, size - (size_t)length, ":-:")
                  : snprintf(text + length, size - (size_t)length, ":%u.%u:", frozen_thread, frozen_after);
    schedule_write(text + length, size - (size_t)length);
}

static bool read_schedule(const char *text) {
    char name[16];
    int length = 0;
    if (sscanf(text, "%15[a-z]%n", name, &length) != 1) {
        return false;
    }
    text += length;
    for (model = MEMORY_SC; model <= MEMORY_VIEW && strcmp(name, model_names[model]) != 0; model++) {
    }
    explored_stripes = 0;
    if (sscanf(text, "/%u%n", &explored_stripes, &length) == 1) {
        text += length;
    }
    frozen_thread = NOBODY;
    if (strncmp(text, ":-:", 3) == 0) {
        return model <= MEMORY_VIEW && schedule_replay(text + 3);
    }
    return model <= MEMORY_VIEW && sscanf(text, ":%u.%u:%n", &frozen_thread, &frozen_after, &length) == 2 &&
           schedule_replay(text + length);
}

static void save(const char *path, const char *reason, const char *schedule) {
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fprintf(file, "# %s\n%s\n%s\n", reason, exploring->name, schedule);
        fclose(file);
        printf("  saved as %s\n", path);
    }
}

void report_failure(const char *reason) {
    static char text[SCHEDULE_TEXT];
    write_schedule(text, sizeof text);
    printf("\nFAILED %s: %s\n  explore --scenario %s --replay %s\n", exploring->name, reason, exploring->name, text);
    if (save_folder != NULL) {
        char path[1024];
        unsigned hash = 5381;
        for (const char *c = text; *c != '\0'; c++) {
            hash = hash * 33 + (unsigned char)*c;
        }
        snprintf(path, sizeof path, "%s/%s-%08x.schedule", save_folder, exploring->name, hash);
        save(path, reason, text);
    }
    if (save_file != NULL) {
        save(save_file, reason, text);
    }
    fflush(stdout);
}

int replay(const char *name, const char *text) {
    exploring = find_scenario(name);
    if (exploring == NULL || !read_schedule(text)) {
        fprintf(stderr, "no such scenario, or no schedule: %s %s\n", name, text);
        return 2;
    }
    bool good = run_and_report();
    printf("%s %s: %s\n", name, good ? "passed" : "failed", good ? "" : failure_text);
    return good ? 0 : 1;
}

int replay_file(const char *path) {
    static char text[SCHEDULE_TEXT];
    char name[256];
    FILE *file = fopen(path, "r");
    bool read = file != NULL && fscanf(file, "#%*[^\n] %255s %8191s", name, text) == 2;
    if (file != NULL) {
        fclose(file);
    }
    return read ? replay(name, text) : 2;
}

unsigned replay_folder(const char *folder, unsigned *passed) {
    unsigned failures = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (strstr(entry->d_name, ".schedule") != NULL) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            bool good = replay_file(path) == 0;
            *passed += good;
            failures += !good;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return failures;
}
