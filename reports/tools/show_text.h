/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines and numbers of `hpcai500 show`: at most SHOW_WIDTH columns, one per
 * character, whatever its bytes; numbers as a person reads them.
 *
 * Life:    struct shown is plain data.
 * Failure: none.
 * Threads: prints to stdout; the rest is pure.
 */
#ifndef TOOLS_SHOW_TEXT_H
#define TOOLS_SHOW_TEXT_H

#include <cjson/cJSON.h>

enum { SHOW_WIDTH = 80 };

struct shown {
    char text[48];
};

/* 12.9 GB; "-" when there is none. */
struct shown show_si(double v, const char *unit);
/* 83.2 s, 12 min 4 s, 3 h 20 min: rounded to the nearest of what is shown. */
struct shown show_duration(double seconds);
struct shown show_plain(double v);
/* The number at the path, NAN when there is none. */
double show_number(const cJSON *o, const char *path);

/* Columns that a text takes. */
int show_columns(const char *text);
/* A precision of printf counts bytes: of a character that it cut what is left
 * becomes '?'. */
void show_whole(char *text);

/* One line, cut to the width. */
void show_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A head, and a text behind it over as many lines as it needs, each begun with
 * so many blanks. Nothing of the text is lost. */
void show_wrapped(const char *head, const char *text, int indent);

#endif
