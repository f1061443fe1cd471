/* SPDX-License-Identifier: Apache-2.0 */

/* Charts in the style of those that `make bench` draws, over powers of two. */
#ifndef TRANSFERS_CHART_H
#define TRANSFERS_CHART_H

#include <stdbool.h>

#define CHART_POINTS 8 /* 1 to 128 CPUs. */
#define CHART_LINES 4

typedef struct {
    const char *label;
    double values[CHART_POINTS];
} chart_line;

typedef struct {
    const char *title;
    const char *unit;
    unsigned line_count;
    chart_line lines[CHART_LINES]; /* The first one is ours. */
} chart;

/* Writes the chart as an SVG document that suits light and dark pages. Returns false if that fails. */
bool chart_write(const chart *it, const char *path);

#endif
