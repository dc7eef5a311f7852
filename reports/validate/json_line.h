/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of JSON that say their kind, {"hpcai500":"verdict 1",...}: what the kinds share.
 *
 *     cJSON *o = json_line_begin(kind, fields, &v);     ... further members ...
 *     bool fits = json_line_end(o, line, size);
 *     cJSON *o = json_line_open(line, kind, fields, &v);  ... further members ...
 *     cJSON_Delete(o);
 *
 * Failure: NULL or false; out of memory, or not such a line.
 * Threads: any.
 */
#ifndef VALIDATE_JSON_LINE_H
#define VALIDATE_JSON_LINE_H

#include <stdbool.h>

#include "reports/record/fields.h"

cJSON *json_line_begin(const char *kind, const struct field *fields, const void *of);
/* With its newline; size: of the room. o may be NULL and is deleted. */
bool json_line_end(cJSON *o, char *line, int size);

/* The fields that the line has into *to, which the caller has initialised; the object. */
cJSON *json_line_open(const char *line, const char *kind, const struct field *fields, void *to);

/* Six digits are more than any of it means. */
double json_line_short(double v);

/* An array of n things of `each` bytes (NULL: none yet) with room for one more, to be used in
 * its place; NULL: out of memory, it is as it was. */
void *json_line_room(void *array, int n, int *room, size_t each);

#endif
