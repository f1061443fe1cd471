/* SPDX-License-Identifier: Apache-2.0 */

#include "chart.h"

#include <stdio.h>

#define LEFT 70.0
#define TOP 66.0
#define WIDTH 520.0
#define HEIGHT 260.0
#define LEGEND 250.0

static const char *const colors[CHART_LINES] = {"#0969da", "#cf222e", "#1a7f37", "#8250df"};

static const char sheet[] =
    "<style>\n"
    "  text { font: 13px -apple-system, \"Segoe UI\", Helvetica, Arial, sans-serif; fill: #24292f }\n"
    "  .title { font-size: 16px; font-weight: 600 }\n"
    "  .soft { fill: #6e7781; font-size: 12px }\n"
    "  .grid { stroke: #d0d7de; stroke-width: 1 }\n"
    "  .background { fill: #ffffff }\n"
    "  @media (prefers-color-scheme: dark) {\n"
    "    text { fill: #e6edf3 } .soft { fill: #8b949e } .grid { stroke: #30363d } .background { fill: #0d1117 }\n"
    "  }\n"
    "</style>\n";

static double greatest(const chart *it) {
    double most = 0;
    for (unsigned line = 0; line < it->line_count; line++) {
        for (unsigned point = 0; point < CHART_POINTS; point++) {
            most = it->lines[line].values[point] > most ? it->lines[line].values[point] : most;
        }
    }
    return most;
}

/* Returns a round distance between grid lines, for at most six of them. */
static double grid_step(double most) {
    static const double factors[] = {1, 2, 5};
    for (double power = 1;; power *= 10) {
        for (unsigned i = 0; i < 3; i++) {
            if (most <= 6 * factors[i] * power) {
                return factors[i] * power;
            }
        }
    }
}

static double x_of(unsigned point) {
    return LEFT + WIDTH * point / (CHART_POINTS - 1);
}

static double y_of(double value, double top) {
    return TOP + HEIGHT * (1 - value / top);
}

static void draw_grid(FILE *file, double step, double top) {
    for (double tick = 0; tick <= top; tick += step) {
        fprintf(file, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", LEFT, y_of(tick, top), WIDTH);
        fprintf(file, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", LEFT - 8,
                y_of(tick, top) + 4, tick);
    }
    for (unsigned point = 0; point < CHART_POINTS; point++) {
        fprintf(file, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>\n", x_of(point),
                TOP + HEIGHT + 18, 1u << point);
    }
    fprintf(file, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">CPUs</text>\n", LEFT + WIDTH / 2,
            TOP + HEIGHT + 38);
}

static void draw_line(FILE *file, const chart_line *line, unsigned number, double top) {
    fprintf(file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" d=\"", colors[number],
            number == 0 ? "2.6" : "1.8");
    for (unsigned point = 0; point < CHART_POINTS; point++) {
        fprintf(file, "%c%.1f %.1f", point == 0 ? 'M' : 'L', x_of(point), y_of(line->values[point], top));
    }
    fprintf(file, "\"/>\n");
    for (unsigned point = 0; point < CHART_POINTS; point++) {
        fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x_of(point),
                y_of(line->values[point], top), colors[number]);
    }
    double y = TOP + 10 + 24 * number;
    fprintf(file, "<path stroke=\"%s\" stroke-width=\"3\" d=\"M%.1f %.1fh18\"/>", colors[number], LEFT + WIDTH + 18, y);
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", LEFT + WIDTH + 42, y + 4, line->label);
}

bool chart_write(const chart *it, const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    double width = LEFT + WIDTH + LEGEND, height = TOP + HEIGHT + 56;
    double step = grid_step(greatest(it)), top = step;
    while (top < greatest(it)) {
        top += step;
    }
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.1f %.1f\" width=\"%.1f\" height=\"%.1f\" "
            "role=\"img\" aria-label=\"%s\">\n%s",
            width, height, width, height, it->title, sheet);
    fprintf(file, "<rect class=\"background\" width=\"100%%\" height=\"100%%\" rx=\"6\"/>\n");
    fprintf(file, "<text class=\"title\" x=\"20\" y=\"30\">%s</text>\n", it->title);
    fprintf(file, "<text class=\"soft\" x=\"20\" y=\"50\">%s</text>\n", it->unit);
    draw_grid(file, step, top);
    for (unsigned line = 0; line < it->line_count; line++) {
        draw_line(file, &it->lines[line], line, top);
    }
    fprintf(file, "</svg>\n");
    return fclose(file) == 0;
}
