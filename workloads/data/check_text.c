/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "workloads/data/check.h"

/* "9 samples" */
static void count(FILE *f, uint64_t n, const char *thing)
{
    fprintf(f, "%" PRIu64 " %s%s", n, thing, n == 1 ? "" : "s");
}

static void size(FILE *f, uint64_t bytes)
{
    static const struct {
        double bytes;
        const char *name;
    } units[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "KB"}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if ((double)bytes >= units[i].bytes) {
            fprintf(f, "%.3g %s", (double)bytes / units[i].bytes, units[i].name);
            return;
        }
    fprintf(f, "%" PRIu64 " bytes", bytes);
}

static void sides(FILE *f, int rank, const uint64_t *n)
{
    for (int a = 0; a < rank; a++)
        fprintf(f, "%s%" PRIu64, a ? " x " : "", n[a]);
}

static void print_storage(const struct check_field *k, FILE *f)
{
    fputs(k->chunked ? ", chunks " : ", in one piece", f);
    if (k->chunked)
        sides(f, k->rank, k->chunk);
    if (k->filters[0])
        fprintf(f, ", %s (%.2f : 1)", k->filters,
                k->stored_bytes ? (double)k->plain_bytes / (double)k->stored_bytes : 0);
}

static void print_values(const struct check_field *k, FILE *f)
{
    const uint64_t finite = k->values - k->not_finite;

    if (finite)
        fprintf(f, "%16s%g to %g, mean %.6g\n", "", k->least, k->greatest, k->sum / (double)finite);
    for (int i = 0; i < k->levels; i++)
        if (k->count[i])
            fprintf(f, "%16s%g: %" PRIu64 " (%.2f %%)\n", "", k->field->least + i, k->count[i],
                    100 * (double)k->count[i] / (double)k->values);
    if (k->first_bad[0])
        fprintf(f,
                "%16sWRONG: %" PRIu64 " not finite, %" PRIu64 " out of range, %" PRIu64
                " fractions; first: %s\n",
                "", k->not_finite, k->out_of_range, k->fractions, k->first_bad);
}

static void print_field(const struct check_field *k, FILE *f)
{
    fprintf(f, "    %-12s", k->field->name);
    if (k->sets == 0 && k->field->answer) {
        fprintf(f, "not stored: %s\n", k->field->title);
        return;
    }
    if (k->sets == 0) {
        fprintf(f, "not stored, %g is taken: %s\n", (double)k->field->fallback, k->field->title);
        return;
    }
    for (int p = 0; p < k->sets; p++)
        fprintf(f, "%s'%s'", p ? " " : "", k->set[p]);
    fprintf(f, ": %s ", k->type);
    sides(f, k->rank, k->dims);
    print_storage(k, f);
    fputc('\n', f);
    print_values(k, f);
}

static void print_use(const struct check *c, FILE *f)
{
    const struct field *lacks = check_lacks(c);
    const struct runspec_workload *w;
    bool any = false;

    if (lacks) {
        fprintf(f, "  for: being looked at; without %s it is not trained on\n", lacks->name);
        return;
    }
    for (int i = 0; (w = runspec_workload(i)); i++) {
        if (!w->science || strcmp(w->science, c->science->name) != 0)
            continue;
        for (int k = 0; k < c->n_classes; k++) {
            fprintf(f, "%s%s,class=%s (", any ? ", " : "  for: ", w->name,
                    runspec_class_name(c->class[k].class->class));
            count(f, c->class[k].samples, "sample");
            fputs(c->n_parts > 1 ? " to train on)" : ")", f);
            any = true;
        }
    }
    fputs(any ? "\n" : "  for: no workload has a class of these sizes\n", f);
}

void check_print(const struct check *c, FILE *f)
{
    if (c->layout)
        fprintf(f, "%s: %s, layout '%s'%s%s\n", c->path, c->science->title, c->layout->name,
                c->title[0] ? ", " : "", c->title);
    else
        fprintf(f, "%s: %s\n", c->path,
                c->n_tried ? "fits no layout of any science" : "nothing that can be read");
    for (int i = 0; i < c->n_tried; i++)
        fprintf(f, "  %s '%s': %s\n", c->tried[i].science, c->tried[i].layout, c->tried[i].lacks);
    if (c->problems)
        fprintf(f, "  WRONG: %s", c->problem);
    if (c->problems > 1)
        fprintf(f, "; and %" PRIu64 " more problem%s", c->problems - 1, &"s"[c->problems == 2]);
    if (c->problems)
        fputc('\n', f);
    for (int i = 0; i < c->n_parts; i++) {
        const struct check_part *p = &c->part[i];
        fprintf(f, "  %s%s", p->split ? p->split : "", p->split ? ": " : "");
        if (c->layout->cut)
            fprintf(f, "%" PRIu64 " to be cut into samples", p->samples);
        else
            count(f, p->samples, "sample");
        fputs(" in ", f);
        count(f, p->files, "file");
        fputs(", ", f);
        size(f, p->bytes);
        fputc('\n', f);
        for (int k = 0; k < c->science->n_fields; k++)
            print_field(&p->field[k], f);
    }
    if (c->layout)
        print_use(c, f);
    for (int i = 0; i < c->n_slow; i++)
        fprintf(f, "  SLOW: %s\n", c->slow[i]);
}
