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

const char *save_folder;

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

void report_failure(void) {
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

unsigned replay_folder(const char *folder, unsigned *passed) {
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
