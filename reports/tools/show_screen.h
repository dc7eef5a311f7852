/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record on one screen, for a person.
 *
 * All text of the document must have passed json_clean(): a job's name must not
 * steer a terminal.
 *
 * Failure: none; what a record does not have is left out.
 * Threads: prints to stdout.
 */
#ifndef TOOLS_SHOW_SCREEN_H
#define TOOLS_SHOW_SCREEN_H

#include <cjson/cJSON.h>
#include <stdbool.h>

struct show_options {
    bool colour;
    bool why;     /* from what the verdict follows */
    bool reasons; /* say of each missing value why */
    int seen;     /* struct found */
};

void show_screen(const cJSON *doc, const struct show_options *o);

#endif
