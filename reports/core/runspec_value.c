/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/runspec_value.h"

#include <stdio.h>
#include <string.h>

/* ---- kinds ---- */

static int parse_folder(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    if (!*value)
        return err_set(e, "%s%s needs a folder", k->name, s->equals);
    return keys_store_text(base, k, value, e);
}

const struct keys_kind runspec_folder = {parse_folder, keys_format_text};

static int parse_word(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

    if (!*value || value[strspn(value, letters)])
        return err_set(e, "%s%s%s is not a name: use a-z, 0-9, '_', '.' and '-'", k->name,
                       s->equals, value);
    return keys_store_text(base, k, value, e);
}

const struct keys_kind runspec_word = {parse_word, keys_format_text};

/* ---- one entry of the array ---- */

/* The key as that of workload i alone. */
static struct keys_key entry(const struct keys_key *k, int i)
{
    struct keys_key own = *k;

    own.offset += (size_t)i * k->size;
    return own;
}

static bool is_set(const struct runspec *r, const struct keys_key *k, int i)
{
    const unsigned char *bytes = (const unsigned char *)r + k->offset + (size_t)i * k->size;

    for (size_t b = 0; b < k->size; b++)
        if (bytes[b])
            return true;
    return false;
}

static const char *name_of(const struct runspec *r, const struct runspec_values *v, int i)
{
    return v->table->row(r->workloads[i])->name;
}

/* The workload of the run whose name is the first n bytes; -1: none. */
static int owner_of(const struct runspec *r, const struct runspec_values *v, const char *name,
                    size_t n)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (strlen(name_of(r, v, i)) == n && strncmp(name_of(r, v, i), name, n) == 0)
            return i;
    return -1;
}

static bool is_workload(const struct runspec_values *v, const char *text, size_t n)
{
    char name[RUNSPEC_MAX_BYTES + 1];

    snprintf(name, sizeof name, "%.*s", (int)n, text);
    return v->table->find(name) >= 0;
}

/* ---- in ---- */

static int refuse_owner(const struct runspec *r, const struct runspec_values *v, const char *value,
                        size_t n, struct err *e)
{
    const char *known[RUNSPEC_MAX_WORKLOADS];
    char name[RUNSPEC_MAX_BYTES + 1];

    for (int i = 0; i < r->n_workloads; i++)
        known[i] = name_of(r, v, i);
    snprintf(name, sizeof name, "%.*s", (int)n, value);
    return keys_refuse("workload in this run called", name, known, r->n_workloads,
                       "'help' shows them all", e);
}

/* Whether what stands before the first colon must name a workload. A folder
 * may hold colons: it is one with a slash before the first, and where a single
 * workload runs, only a workload's name does not belong to the folder. */
static bool is_owned(const struct runspec *r, const struct runspec_values *v, const char *value,
                     size_t n)
{
    if (!value[n])
        return false;
    if (v->key->kind != &runspec_folder)
        return true;
    return !memchr(value, '/', n) && (r->n_workloads > 1 || is_workload(v, value, n));
}

/* A workload that may well have the value: one that trains, if there is one. */
static const char *example_of(const struct runspec *r, const struct runspec_values *v)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (strcmp(v->table->row(r->workloads[i])->suite, "component") == 0)
            return name_of(r, v, i);
    return name_of(r, v, 0);
}

/* Whose value it is, and where it begins; -1: a sentence. */
static int find_owner(const struct runspec *r, const struct runspec_values *v, const char **value,
                      struct err *e)
{
    const char *key = v->key->name, *equals = v->style->equals;
    const size_t n = strcspn(*value, ":");
    int owner = 0;

    if (is_owned(r, v, *value, n)) {
        owner = owner_of(r, v, *value, n);
        if (owner < 0)
            return refuse_owner(r, v, *value, n, e);
        *value += n + 1;
    } else if (r->n_workloads > 1) {
        if (v->key->kind == &runspec_folder)
            return RUNSPEC_MAX_WORKLOADS;
        return err_set(e, "%s%s%s must say for which workload, as several run: '%s%s%s:%s'", key,
                       equals, *value, key, equals, example_of(r, v), *value);
    }
    return owner;
}

int runspec_value_parse(struct runspec *r, const struct runspec_values *v, const char *value,
                        struct err *e)
{
    const struct keys_key *k = v->key;
    char equals[RUNSPEC_MAX_BYTES + 4];
    const char *bare = value;
    const int owner = find_owner(r, v, &bare, e);

    if (owner < 0)
        return -1;
    snprintf(equals, sizeof equals, "%s%.*s", v->style->equals, (int)(bare - value), value);
    if (owner == RUNSPEC_MAX_WORKLOADS && is_set(r, k, owner))
        return err_set(e, "'%s' is given twice", k->name);
    if (is_set(r, k, owner))
        return err_set(e, "'%s' of %s is given twice", k->name, name_of(r, v, owner));
    const struct keys_key own = entry(k, owner);
    const struct keys_style style = {v->style->before, equals, v->style->comma};
    return k->kind->parse(r, &own, bare, &style, e);
}

/* ---- the folder of all ---- */

static void folder_in(const struct runspec *r, const struct runspec_values *v, int i,
                      char folder[RUNSPEC_FOLDER_SIZE])
{
    const struct keys_key *k = v->key;
    const char *all = (const char *)r + k->offset + RUNSPEC_MAX_WORKLOADS * k->size;
    const size_t n = strlen(all);

    snprintf(folder, RUNSPEC_FOLDER_SIZE, "%s%s%s", all, n && all[n - 1] == '/' ? "" : "/",
             name_of(r, v, i));
}

/* There is one for all. */
static bool has_all(const struct runspec *r, const struct keys_key *k)
{
    return k->kind == &runspec_folder && is_set(r, k, RUNSPEC_MAX_WORKLOADS);
}

void runspec_value_share(struct runspec *r, const struct runspec_values *v)
{
    char folder[RUNSPEC_FOLDER_SIZE];

    for (int i = 0; has_all(r, v->key) && i < r->n_workloads; i++) {
        const struct keys_key own = entry(v->key, i);
        folder_in(r, v, i, folder);
        if (!is_set(r, v->key, i))
            keys_store_text(r, &own, folder, NULL);
    }
}

/* ---- out ---- */

/* In the folder of all, which stands for it. */
static bool is_shared(const struct runspec *r, const struct runspec_values *v, int i)
{
    char folder[RUNSPEC_FOLDER_SIZE];

    if (!has_all(r, v->key))
        return false;
    folder_in(r, v, i, folder);
    return strcmp((const char *)r + v->key->offset + (size_t)i * v->key->size, folder) == 0;
}

bool runspec_value_format(const struct runspec *r, const struct runspec_values *v, int i,
                          char *text, size_t size)
{
    const bool all = i == RUNSPEC_MAX_WORKLOADS, folder = v->key->kind == &runspec_folder;
    char value[RUNSPEC_FOLDER_SIZE];

    if (all ? !has_all(r, v->key) : i >= r->n_workloads || is_shared(r, v, i))
        return false;
    if (!is_set(r, v->key, i))
        return false;
    const struct keys_key own = entry(v->key, i);
    v->key->kind->format(r, &own, v->style, value, sizeof value);
    const bool named =
        !all && (r->n_workloads > 1 || (folder && is_owned(r, v, value, strcspn(value, ":"))));
    snprintf(text, size, "%s%s%s", named ? name_of(r, v, i) : "", named ? ":" : "", value);
    return true;
}
