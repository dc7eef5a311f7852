/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/utf8.h"

/* ---- findings ---- */

void doctor_put(struct doctor *d, const struct finding *f)
{
    if (d->n == d->room) {
        struct finding *more = realloc(d->findings, (size_t)(d->room + 256) * sizeof *more);
        if (!more)
            return;
        d->findings = more;
        d->room += 256;
    }
    struct finding *mine = &d->findings[d->n++];
    *mine = *f;
    /* What others tell must not steer a terminal, end a field, nor break JSON. */
    utf8_clean(mine->node);
    utf8_clean(mine->check);
    utf8_clean(mine->text);
    utf8_clean(mine->advice);
}

void doctor_add(struct doctor *d, enum doctor_status status, const char *advice, const char *fmt,
                ...)
{
    struct finding f = {.status = status};
    va_list ap;

    snprintf(f.node, sizeof f.node, "%s", d->node);
    snprintf(f.check, sizeof f.check, "%s", d->check);
    snprintf(f.advice, sizeof f.advice, "%s", advice ? advice : "");
    va_start(ap, fmt);
    vsnprintf(f.text, sizeof f.text, fmt, ap);
    va_end(ap);
    doctor_put(d, &f);
}

enum doctor_status doctor_verdict(const struct doctor *d)
{
    static const int weight[] = {0, 2, 3, 1};
    enum doctor_status worst = DOCTOR_OK;

    for (int i = 0; i < d->n; i++)
        if (weight[d->findings[i].status] > weight[worst])
            worst = d->findings[i].status;
    return worst;
}

/* ---- output ---- */

static const char *const words[] = {"OK", "WARN", "CRITICAL", "UNKNOWN"};

static void put_json(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (strchr("\"\\", *text))
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_json(const struct doctor *d)
{
    printf("{\"status\":\"%s\",\"checks\":[", words[doctor_verdict(d)]);
    for (int i = 0; i < d->n; i++) {
        const struct finding *f = &d->findings[i];
        const struct {
            const char *key, *value;
        } row[] = {{"node", f->node},
                   {"check", f->check},
                   {"status", words[f->status]},
                   {"text", f->text},
                   {"advice", f->advice}};
        printf("%s", i ? ",\n{" : "\n{");
        for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
            printf("%s\"%s\":", k ? "," : "", row[k].key);
            put_json(row[k].value);
        }
        putchar('}');
    }
    printf("\n]}\n");
}

static bool is_same(const struct finding *a, const struct finding *b)
{
    return a->status == b->status && strcmp(a->check, b->check) == 0 &&
           strcmp(a->text, b->text) == 0 && strcmp(a->advice, b->advice) == 0;
}

/* One line for all nodes that found the same; the others' are then marked done. */
static void print_finding(const struct doctor *d, int i, bool *done)
{
    enum { LISTED = 8 };
    const struct finding *f = &d->findings[i];
    int n = 0;

    printf("%-8s  %-9s  %s", words[f->status], f->check, f->text);
    for (int k = i; k < d->n; k++) {
        if (done[k] || !is_same(f, &d->findings[k]))
            continue;
        done[k] = true;
        if (n++ < LISTED)
            printf("%s%s", n == 1 ? "  [" : ",", d->findings[k].node);
    }
    if (n > LISTED)
        printf(" and %d more", n - LISTED);
    printf("]\n");
    if (f->advice[0])
        printf("%-8s  %-9s  -> %s\n", "", "", f->advice);
}

static void print_text(const struct doctor *d)
{
    bool *done = calloc((size_t)d->n + 1, sizeof *done);

    for (int i = 0; done && i < d->n; i++)
        if (!done[i])
            print_finding(d, i, done);
    printf("%s\n", words[doctor_verdict(d)]);
    free(done);
}

void doctor_print(const struct doctor *d, bool json)
{
    if (json)
        print_json(d);
    else
        print_text(d);
}
