/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/record/fields.h"

enum { TEXT_SIZE = 1024, SHOWN_WORKLOADS = 8, MARKS = 4 /* H5: and ; */ };

/* 188, 12.9k, 1.2M */
static void short_number(double v, char *text, size_t size)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    size_t i = 0;

    for (; fabs(v) >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        v /= 1000;
    snprintf(text, size, "%.3g%s", v, prefixes[i]);
}

static void one_workload(const cJSON *w, char *text, size_t size)
{
    double achieved = json_number(w, "quality.achieved", NAN);
    double target = json_number(w, "quality.target", NAN);
    double speed = json_number(w, "performance.samples_per_second", NAN);
    bool higher = cJSON_IsTrue(json_at(w, "quality.higher_is_better"));
    bool reached = higher ? achieved >= target : achieved <= target;
    const char *relation = higher ? reached ? ">=" : "<" : reached ? "<=" : ">";
    int n =
        snprintf(text, size, "%.32s %.16s", json_text(w, "name", "?"), json_text(w, "class", "?"));

    if (isfinite(achieved) && isfinite(target))
        n += snprintf(text + n, size - (size_t)n, " %.16s %.4g%s%.4g %s",
                      json_text(w, "quality.metric", "quality"), achieved, relation, target,
                      reached ? "reached" : "missed");
    else if (isfinite(achieved))
        n += snprintf(text + n, size - (size_t)n, " %.16s %.4g",
                      json_text(w, "quality.metric", "quality"), achieved);
    if (isfinite(speed)) {
        char rate[32];
        short_number(speed, rate, sizeof rate);
        snprintf(text + n, size - (size_t)n, " %s/s", rate);
    }
}

/* What was measured, one workload after the other. */
static void all_workloads(const cJSON *doc, char text[TEXT_SIZE])
{
    const cJSON *w;
    int n = 0, shown = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
    {
        char one[160];
        if (shown++ == SHOWN_WORKLOADS)
            break;
        one_workload(w, one, sizeof one);
        n += snprintf(text + n, TEXT_SIZE - (size_t)n, "%s%s", n ? ", " : "", one);
    }
    if (n == 0) /* micro benchmarks have no workloads; the request says what ran */
        snprintf(text, TEXT_SIZE, "%.300s", json_text(doc, "run.text", ""));
}

void collect_line(const cJSON *doc, const struct history_run *run, const char *why, int more,
                  char line[ADMIN_COMMENT_LINE + 1])
{
    char head[TEXT_SIZE], tail[HISTORY_KEY_SIZE + 80], text[TEXT_SIZE + sizeof tail];
    char key[HISTORY_KEY_SIZE] = "", others[16] = "";

    if (more > 0)
        snprintf(others, sizeof others, " +%d", more);
    if (doc && history_key(run, key)) {
        all_workloads(doc, head);
        snprintf(tail, sizeof tail, " %s %s%s %s", json_text(doc, "status", "?"),
                 run->valid ? "valid" : "invalid", others, key);
    } else {
        snprintf(head, sizeof head, "%.300s", run->asked[0] ? run->asked : "?");
        snprintf(tail, sizeof tail, " no record%s%.60s", why[0] ? ": " : "", why);
    }
    size_t room = ADMIN_COMMENT_LINE - MARKS - strlen(tail);
    if (strlen(head) > room)
        strcpy(head + room - 3, "...");
    snprintf(text, sizeof text, "%s%s", head, tail);
    admin_comment_line(text, line);
}

bool collect_line_id(const char *line, char id[HISTORY_KEY_SIZE])
{
    const char *at = strrchr(line, ' ');
    size_t n = at ? strcspn(at + 1, ";") : 0;

    if (n == 0 || n >= HISTORY_KEY_SIZE || !strchr(at, '.'))
        return false;
    memcpy(id, at + 1, n);
    id[n] = '\0';
    return true;
}
