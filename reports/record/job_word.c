/* SPDX-License-Identifier: BSD-3-Clause */
/* How a person names a run. */
#include <config.h>

#include "reports/record/job_word.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"

static const char digits[] = "0123456789";

/* A whole number of at most 18 digits; *text moves behind it. */
static bool number(const char **text, long *v)
{
    size_t n = strspn(*text, digits);

    if (n == 0 || n > 18)
        return false;
    *v = strtol(*text, NULL, 10);
    *text += n;
    return true;
}

/* "0", "batch", "interactive": to the end of the text. */
static bool step_name(const char *text, char step[16])
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

    if (n == 0 || n > 15 || text[n])
        return false;
    memcpy(step, text, n + 1);
    return true;
}

/* What is behind the job: [_TASK|+OFFSET][.STEP|.RESTART.STEP] */
static bool rest(const char *at, struct job_word *w)
{
    long restart;

    if (*at == '_' || *at == '+') {
        long *member = *at == '_' ? &w->array_task : &w->het_offset;
        at++;
        if (!number(&at, member))
            return false;
    }
    if (!*at)
        return true;
    if (*at++ != '.')
        return false;
    const char *second = at;
    if (number(&second, &restart) && *second == '.' && restart <= INT_MAX) {
        w->restart = (int)restart;
        at = second + 1;
    }
    return step_name(at, w->step);
}

int job_word_parse(const char *text, struct job_word *w, struct err *e)
{
    const char *at = text;

    *w = (struct job_word){.array_task = -1, .het_offset = -1, .restart = -1};
    if (number(&at, &w->job) && w->job > 0 && rest(at, w))
        return 0;
    w->job = 0;
    if (strchr(text, '-') && strlen(text) < sizeof w->id && (text[0] < '0' || text[0] > '9')) {
        strcpy(w->id, text);
        return 0;
    }
    return err_set(e, "'%.64s' is not a job; use 4711, 4711_7, 4711+1, 4711.0 or lab-4711.0.3",
                   text);
}

static bool is(const cJSON *job, const char *name, double wanted)
{
    return json_number(job, name, NAN) == wanted;
}

bool job_word_is(const struct job_word *w, const cJSON *doc)
{
    const cJSON *job = json_at(doc, "job");
    double n = (double)w->job;

    if (w->id[0])
        return strcmp(json_text(doc, "id", ""), w->id) == 0;
    if (!cJSON_IsObject(job) ||
        !(is(job, "job_id", n) || is(job, "array_job_id", n) || is(job, "het_job_id", n)))
        return false;
    return (w->array_task < 0 || is(job, "array_task_id", (double)w->array_task)) &&
           (w->het_offset < 0 || is(job, "het_offset", (double)w->het_offset)) &&
           (w->restart < 0 || is(job, "restart", w->restart)) &&
           (!w->step[0] || strcmp(json_text(job, "step_id", ""), w->step) == 0);
}
