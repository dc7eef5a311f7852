/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/json_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *json_line_begin(const char *kind, const struct field *fields, const void *of)
{
    cJSON *o = cJSON_CreateObject();

    if (o && cJSON_AddStringToObject(o, "hpcai500", kind) && fields_put(o, fields, of, NULL) == 0)
        return o;
    cJSON_Delete(o);
    return NULL;
}

bool json_line_end(cJSON *o, char *line, int size)
{
    const bool fits = o && cJSON_PrintPreallocated(o, line, size - 8, 0);

    cJSON_Delete(o);
    if (fits)
        strcat(line, "\n");
    return fits;
}

static const char *keep_nothing(void *ctx, const char *text)
{
    (void)ctx, (void)text;
    return NULL;
}

cJSON *json_line_open(const char *line, const char *kind, const struct field *fields, void *to)
{
    cJSON *o = cJSON_Parse(line);

    if (cJSON_IsObject(o) && strcmp(json_text(o, "hpcai500", ""), kind) == 0) {
        fields_get(o, fields, to, keep_nothing, NULL);
        return o;
    }
    cJSON_Delete(o);
    return NULL;
}

double json_line_short(double v)
{
    char text[32];

    snprintf(text, sizeof text, "%.6g", v);
    return strtod(text, NULL);
}

void *json_line_room(void *array, int n, int *room, size_t each)
{
    const int larger = *room ? 2 * *room : 64;

    if (n < *room)
        return array;
    array = realloc(array, (size_t)larger * each);
    *room = array ? larger : *room;
    return array;
}
