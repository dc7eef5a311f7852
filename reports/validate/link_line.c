/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/validate/link_line.h"

#include <math.h>
#include <string.h>

#include "reports/validate/json_line.h"
#include "reports/validate/lines.h"

static const char kind[] = "link 1";

static const struct field fields[] = {
    FIELD(link_line, run, TEXT, "run", "of hpcai500 validate"),
    FIELD(link_line, round, INT, "round", "0: the look"),
    FIELD(link_line, time, LONG, "time", "of the look", .unit = "Unix seconds"),
    FIELD(link_line, from, TEXT, "from", "who sends"),
    FIELD(link_line, to, TEXT, "to", "who receives"),
    FIELD(link_line, bandwidth, DOUBLE, "bandwidth", "one way", .unit = "B/s", .why = "?"),
    FIELD(link_line, latency, DOUBLE, "latency", "half a round trip", .unit = "s", .why = "?"),
    FIELD_END,
};

bool link_line_print(const struct link_line *l, char line[LINK_LINE_SIZE])
{
    struct link_line brief = *l;

    brief.bandwidth = json_line_short(l->bandwidth);
    brief.latency = json_line_short(l->latency);
    return json_line_end(json_line_begin(kind, fields, &brief), line, LINK_LINE_SIZE);
}

int link_line_parse(const char *line, struct link_line *l)
{
    *l = (struct link_line){.bandwidth = NAN, .latency = NAN};
    cJSON *o = lines_is(line, kind) ? json_line_open(line, kind, fields, l) : NULL;
    const bool is = o != NULL;

    cJSON_Delete(o);
    l->bandwidth = l->bandwidth > 0 ? l->bandwidth : (double)NAN;
    l->latency = l->latency > 0 ? l->latency : (double)NAN;
    return is && l->run[0] && l->from[0] && l->to[0] && l->round >= 0 &&
                   strcmp(l->from, l->to) != 0 && (isfinite(l->bandwidth) || isfinite(l->latency))
               ? 0
               : -1;
}
