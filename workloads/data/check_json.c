/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/check.h"

#ifdef HAVE_CJSON

#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

static void add_sides(cJSON *o, const char *name, bool has, int rank, const uint64_t *n)
{
    cJSON *list = has ? cJSON_AddArrayToObject(o, name) : cJSON_AddNullToObject(o, name);

    for (int a = 0; has && a < rank; a++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)n[a]));
}

static void add_number(cJSON *o, const char *name, double v)
{
    if (isfinite(v))
        cJSON_AddNumberToObject(o, name, v);
    else
        cJSON_AddNullToObject(o, name);
}

static void add_text(cJSON *o, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(o, name, text);
    else
        cJSON_AddNullToObject(o, name);
}

static void add_balance(cJSON *o, const struct check_field *k)
{
    cJSON *balance =
        k->levels ? cJSON_AddObjectToObject(o, "balance") : cJSON_AddNullToObject(o, "balance");

    for (int i = 0; i < k->levels; i++) {
        char name[32];
        snprintf(name, sizeof name, "%g", k->field->least + i);
        cJSON_AddNumberToObject(balance, name, (double)k->count[i]);
    }
}

static cJSON *field_json(const struct check_field *k)
{
    cJSON *o = cJSON_CreateObject();
    const uint64_t finite = k->values - k->not_finite;

    cJSON_AddStringToObject(o, "name", k->field->name);
    cJSON *sets = cJSON_AddArrayToObject(o, "datasets");
    for (int p = 0; p < k->sets; p++)
        cJSON_AddItemToArray(sets, cJSON_CreateString(k->set[p]));
    add_text(o, "type", k->type);
    add_sides(o, "dims", k->sets > 0, k->rank, k->dims);
    add_sides(o, "chunk", k->chunked, k->rank, k->chunk);
    cJSON_AddStringToObject(o, "filters", k->filters);
    cJSON_AddNumberToObject(o, "stored_bytes", (double)k->stored_bytes);
    cJSON_AddNumberToObject(o, "plain_bytes", (double)k->plain_bytes);
    cJSON_AddNumberToObject(o, "values", (double)k->values);
    add_number(o, "least", finite ? k->least : NAN);
    add_number(o, "greatest", finite ? k->greatest : NAN);
    add_number(o, "mean", finite ? k->sum / (double)finite : NAN);
    add_balance(o, k);
    cJSON_AddNumberToObject(o, "not_finite", (double)k->not_finite);
    cJSON_AddNumberToObject(o, "out_of_range", (double)k->out_of_range);
    cJSON_AddNumberToObject(o, "fractions", (double)k->fractions);
    add_text(o, "first_wrong", k->first_bad);
    return o;
}

static void add_parts(cJSON *o, const struct check *c)
{
    cJSON *parts = cJSON_AddArrayToObject(o, "parts");

    for (int i = 0; i < c->n_parts; i++) {
        const struct check_part *p = &c->part[i];
        cJSON *part = cJSON_CreateObject();
        add_text(part, "split", p->split);
        cJSON_AddNumberToObject(part, "files", (double)p->files);
        cJSON_AddNumberToObject(part, "samples", (double)p->samples);
        cJSON_AddNumberToObject(part, "bytes", (double)p->bytes);
        cJSON *fields = cJSON_AddArrayToObject(part, "fields");
        for (int k = 0; k < c->science->n_fields; k++)
            cJSON_AddItemToArray(fields, field_json(&p->field[k]));
        cJSON_AddItemToArray(parts, part);
    }
}

static void add_use(cJSON *o, const struct check *c)
{
    cJSON *use = cJSON_AddArrayToObject(o, "use");
    const struct runspec_workload *w;

    for (int i = 0; (w = runspec_workload(i)); i++)
        for (int k = 0; k < c->n_classes; k++) {
            if (!w->science || strcmp(w->science, c->science->name) != 0 || check_lacks(c))
                continue;
            cJSON *one = cJSON_CreateObject();
            cJSON_AddStringToObject(one, "workload", w->name);
            cJSON_AddStringToObject(one, "class", runspec_class_name(c->class[k].class->class));
            cJSON_AddNumberToObject(one, "samples", (double)c->class[k].samples);
            cJSON_AddItemToArray(use, one);
        }
}

static void add_tried(cJSON *o, const struct check *c)
{
    cJSON *tried = cJSON_AddArrayToObject(o, "tried");

    for (int i = 0; i < c->n_tried; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "science", c->tried[i].science);
        cJSON_AddStringToObject(one, "layout", c->tried[i].layout);
        cJSON_AddStringToObject(one, "lacks", c->tried[i].lacks);
        cJSON_AddItemToArray(tried, one);
    }
}

int check_print_json(const struct check *c, FILE *f, struct err *e)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "path", c->path);
    cJSON_AddBoolToObject(o, "good", check_good(c));
    add_text(o, "science", c->science ? c->science->name : NULL);
    add_text(o, "layout", c->layout ? c->layout->name : NULL);
    add_text(o, "made", c->title);
    add_parts(o, c);
    add_use(o, c);
    cJSON *slow = cJSON_AddArrayToObject(o, "slow");
    for (int i = 0; i < c->n_slow; i++)
        cJSON_AddItemToArray(slow, cJSON_CreateString(c->slow[i]));
    cJSON_AddNumberToObject(o, "problems", (double)c->problems);
    add_text(o, "problem", c->problem);
    add_tried(o, c);
    char *text = cJSON_PrintUnformatted(o);
    int rc = text ? 0 : err_set(e, "no memory for JSON");
    if (text)
        fputs(text, f);
    cJSON_free(text);
    cJSON_Delete(o);
    return rc;
}

#else

int check_print_json(const struct check *c, FILE *f, struct err *e)
{
    (void)c;
    (void)f;
    return err_set(e, "--json: this was built without cJSON (libcjson-dev)");
}

#endif
