/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/measure.h"
#include "reports/core/result.h"
#include "reports/core/utf8.h"
#include "reports/record/record.h"

static const char *const status_words[] = {
    [RUN_COMPLETE] = "complete", [RUN_PARTIAL] = "partial", [RUN_CRASHED] = "crashed"};

const char *status_name(int status)
{
    return status_words[status];
}

int status_of(const char *word)
{
    for (int i = 0; i < (int)(sizeof status_words / sizeof *status_words); i++)
        if (strcmp(word, status_words[i]) == 0)
            return i;
    return -1;
}

bool field_holds(const struct field *f)
{
    return f->kind >= FIELD_OBJECT;
}

bool field_nullable(const struct field *f)
{
    return f->why || f->kind == FIELD_MEASURE;
}

enum field_type field_type(const struct field *f)
{
    switch (f->kind) {
    case FIELD_INT:
    case FIELD_LONG:
    case FIELD_U64:
        return TYPE_WHOLE;
    case FIELD_DOUBLE:
    case FIELD_POSITIVE:
    case FIELD_MEASURE:
    case FIELD_FACT_NUMBER:
        return TYPE_NUMBER;
    case FIELD_BOOL:
    case FIELD_MAYBE:
        return TYPE_BOOL;
    default:
        return field_holds(f) ? TYPE_HOLDS : TYPE_TEXT;
    }
}

/* Past the key of a map at path, which is copied; NULL when it is too long. */
static const char *skip_key(const struct field *map, const char *path, struct field_key *key)
{
    size_t n = strcspn(path, ".[");

    if (n >= sizeof key->text)
        return NULL;
    key->map = map;
    memcpy(key->text, path, n);
    key->text[n] = '\0';
    return path + n;
}

static const struct field *find_in_row(const struct field *f, const char *path,
                                       struct field_key *key)
{
    size_t n = strlen(f->name);

    if (f->kind == FIELD_ROWS)
        return field_find(f->below, path, key);
    if (strncmp(path, f->name, n) != 0)
        return NULL;
    path += n;
    if (f->kind >= FIELD_LIST && f->kind <= FIELD_NUMBERS && strncmp(path, "[]", 2) == 0)
        path += 2;
    if (!*path)
        return f;
    if (*path != '.' || !field_holds(f))
        return NULL;
    path++;
    if (f->kind == FIELD_MAP && !f->below) /* its keys may have dots */
        return f;
    if (f->kind == FIELD_MAP && (!(path = skip_key(f, path, key)) || !*path))
        return path ? f : NULL;
    if (f->kind == FIELD_MAP)
        path++;
    return f->below ? field_find(f->below, path, key) : NULL;
}

const struct field *field_find(const struct field *table, const char *path, struct field_key *key)
{
    const struct field *found = NULL;

    key->map = NULL;
    for (const struct field *f = table; f->name && !found; f++)
        found = find_in_row(f, path, key);
    return found;
}

struct nulls nulls_at(const struct nulls *n, const char *fmt, ...)
{
    struct nulls at = *n;
    size_t used = strlen(at.path);
    va_list ap;

    if (used && used < sizeof at.path - 1)
        at.path[used++] = '.';
    va_start(ap, fmt);
    vsnprintf(at.path + used, sizeof at.path - used, fmt, ap);
    va_end(ap);
    return at;
}

/* The object that holds the last word of name, made where missing, and that
 * word in *last. */
static cJSON *holder(cJSON *o, const char *name, const char **last)
{
    const char *dot;
    char word[64];

    for (; o && (dot = strchr(name, '.')); name = dot + 1) {
        snprintf(word, sizeof word, "%.*s", (int)(dot - name), name);
        cJSON *next = cJSON_GetObjectItemCaseSensitive(o, word);
        o = next ? next : cJSON_AddObjectToObject(o, word);
    }
    *last = name;
    return o;
}

static int put(cJSON *o, const char *name, cJSON *item)
{
    const char *last;
    cJSON *in = holder(o, name, &last);

    if (item && in && cJSON_AddItemToObject(in, last, item))
        return 0;
    cJSON_Delete(item);
    return -1;
}

cJSON *json_string(const char *text)
{
    char *clean = strdup(text);
    cJSON *item = NULL;

    if (clean) {
        utf8_clean(clean);
        item = cJSON_CreateString(clean);
    }
    free(clean);
    return item;
}

void json_clean(cJSON *o)
{
    if (o->string)
        utf8_clean(o->string);
    if (cJSON_IsString(o))
        utf8_clean(o->valuestring);
    for (cJSON *child = o->child; child; child = child->next)
        json_clean(child);
}

int put_reason(const struct nulls *n, const char *why)
{
    if (!n || !n->reasons || cJSON_GetObjectItemCaseSensitive(n->reasons, n->path))
        return 0;
    cJSON *text = json_string(why);
    return text && cJSON_AddItemToObject(n->reasons, n->path, text) ? 0 : -1;
}

int put_null(cJSON *o, const char *name, const char *why, const struct nulls *n)
{
    if (n) {
        struct nulls at = nulls_at(n, "%s", name);
        if (put_reason(&at, why) < 0)
            return -1;
    }
    return put(o, name, cJSON_CreateNull());
}

int put_number(cJSON *o, const char *name, double v, const char *why, const struct nulls *n)
{
    if (!isfinite(v))
        return put_null(o, name, why ? why : "the value is not finite", n);
    return put(o, name, cJSON_CreateNumber(v));
}

int put_u64(cJSON *o, const char *name, uint64_t v)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, v);
    return put(o, name, cJSON_CreateRaw(digits));
}

int put_bool(cJSON *o, const char *name, int v)
{
    return put(o, name, cJSON_CreateBool(v));
}

int put_text(cJSON *o, const char *name, const char *text, const char *why, const struct nulls *n)
{
    if (!*text && why)
        return put_null(o, name, why, n);
    return put(o, name, json_string(text));
}

cJSON *put_object(cJSON *o, const char *name)
{
    const char *last;
    cJSON *in = holder(o, name, &last);
    return in ? cJSON_AddObjectToObject(in, last) : NULL;
}

cJSON *put_array(cJSON *o, const char *name)
{
    const char *last;
    cJSON *in = holder(o, name, &last);
    return in ? cJSON_AddArrayToObject(in, last) : NULL;
}

static int put_measure(cJSON *o, const struct field *f, const struct measure *m,
                       const struct nulls *n)
{
    if (!m->reason)
        return put_number(o, f->name, m->value, f->why, n);
    if (n && n->reasons)
        return put_null(o, f->name, m->reason, n);
    return put_text(o, f->name, m->reason, NULL, n);
}

static int put_integer(cJSON *o, const struct field *f, long v, const struct nulls *n)
{
    if (f->why && v <= f->none)
        return put_null(o, f->name, f->why, n);
    return put(o, f->name, cJSON_CreateNumber((double)v));
}

/* A fact, or null with the reason that it holds. Without n the reason stands
 * in its place as an object, since a text would be read as the fact. */
static int put_fact(cJSON *o, const struct field *f, const struct record_fact *fact,
                    const struct nulls *n)
{
    bool number = f->kind == FIELD_FACT_NUMBER;
    const char *why = fact->state == FACT_UNKNOWN ? fact->text
                      : fact->state == FACT_UNSET ? f->why
                                                  : "recorded as another type";

    if (fact->state == FACT_NUMBER && number)
        return put_number(o, f->name, fact->number, why, n);
    if (fact->state == FACT_TEXT && !number)
        return put_text(o, f->name, fact->text, why, n);
    if (n)
        return put_null(o, f->name, why, n);
    cJSON *reason = put_object(o, f->name);
    return reason ? put_text(reason, "why", why, NULL, NULL) : -1;
}

static int put_field(cJSON *o, const struct field *f, const void *at, const struct nulls *n)
{
    switch (f->kind) {
    case FIELD_TEXT:
        return put_text(o, f->name, at, f->why, n);
    case FIELD_NAME: {
        const char *text = *(const char *const *)at;
        return put_text(o, f->name, text ? text : "", f->why, n);
    }
    case FIELD_CONST:
        return put_text(o, f->name, f->words[0], NULL, n);
    case FIELD_INT:
        return put_integer(o, f, *(const int *)at, n);
    case FIELD_LONG:
        return put_integer(o, f, *(const long *)at, n);
    case FIELD_U64:
        if (f->why && *(const uint64_t *)at <= (uint64_t)f->none)
            return put_null(o, f->name, f->why, n);
        return put_u64(o, f->name, *(const uint64_t *)at);
    case FIELD_BOOL:
        return put_bool(o, f->name, *(const bool *)at);
    case FIELD_MAYBE:
        return *(const int *)at < 0 ? put_null(o, f->name, f->why, n)
                                    : put_bool(o, f->name, *(const int *)at);
    case FIELD_DOUBLE:
        return put_number(o, f->name, *(const double *)at, f->why, n);
    case FIELD_POSITIVE:
        return put_number(o, f->name, *(const double *)at > 0 ? *(const double *)at : NAN, f->why,
                          n);
    case FIELD_MEASURE:
        return put_measure(o, f, at, n);
    case FIELD_STATUS:
        return put(o, f->name, cJSON_CreateString(status_name(*(const enum run_status *)at)));
    case FIELD_FACT_TEXT:
    case FIELD_FACT_NUMBER:
        return put_fact(o, f, at, n);
    default:
        return 0;
    }
}

int fields_put(cJSON *o, const struct field *table, const void *base, const struct nulls *n)
{
    int rc = 0;

    for (const struct field *f = table; f->name; f++)
        if (f->size || f->kind == FIELD_CONST)
            rc |= put_field(o, f, (const char *)base + f->offset, n);
    return rc;
}

/* A double that fits, for numbers that may come from anybody. */
static double within(double v, double least, double most)
{
    return v < least ? least : v > most ? most : v;
}

static void get_measure(const cJSON *v, struct measure *m,
                        const char *(*keep)(void *ctx, const char *text), void *ctx)
{
    if (cJSON_IsNumber(v))
        *m = measured(v->valuedouble);
    else if (cJSON_IsString(v))
        *m = unmeasured(keep(ctx, v->valuestring));
    else
        *m = unmeasured("the journal holds no value");
}

static void get_fact(const cJSON *v, struct record_fact *fact)
{
    if (cJSON_IsString(v))
        record_fact_text(fact, v->valuestring);
    else if (cJSON_IsNumber(v))
        record_fact_number(fact, v->valuedouble);
    else
        record_fact_unknown(fact, json_text(v, "why", "not recorded"));
}

static void get_number(const struct field *f, const cJSON *v, void *at)
{
    double number = cJSON_IsNumber(v) ? v->valuedouble : (double)f->none;

    switch (f->kind) {
    case FIELD_INT:
        *(int *)at = (int)within(number, INT32_MIN, INT32_MAX);
        break;
    case FIELD_LONG:
        *(long *)at = (long)within(number, -9e18, 9e18);
        break;
    case FIELD_U64: /* above 2^53 the digits after the 16th are lost */
        *(uint64_t *)at = (uint64_t)within(number, 0, 18446744073709549568.0);
        break;
    default:
        *(double *)at = cJSON_IsNumber(v) ? v->valuedouble : NAN;
    }
}

static void get_field(const struct field *f, const cJSON *v, void *at,
                      const char *(*keep)(void *ctx, const char *text), void *ctx)
{
    switch (f->kind) {
    case FIELD_TEXT:
        snprintf(at, f->size, "%s", cJSON_IsString(v) ? v->valuestring : "");
        break;
    case FIELD_BOOL:
        *(bool *)at = cJSON_IsTrue(v);
        break;
    case FIELD_MAYBE: /* older journals hold a number */
        *(int *)at = cJSON_IsNumber(v) ? (int)within(v->valuedouble, -1, 1)
                     : cJSON_IsBool(v) ? cJSON_IsTrue(v)
                                       : -1;
        break;
    case FIELD_MEASURE:
        get_measure(v, at, keep, ctx);
        break;
    case FIELD_FACT_TEXT:
    case FIELD_FACT_NUMBER:
        get_fact(v, at);
        break;
    case FIELD_STATUS: {
        int status = cJSON_IsString(v) ? status_of(v->valuestring) : -1;
        *(enum run_status *)at = status < 0 ? RUN_CRASHED : (enum run_status)status;
        break;
    }
    default:
        get_number(f, v, at);
    }
}

void fields_get(const cJSON *o, const struct field *table, void *base,
                const char *(*keep)(void *ctx, const char *text), void *ctx)
{
    for (const struct field *f = table; f->name; f++) {
        const cJSON *v = f->size && f->kind != FIELD_NAME ? json_at(o, f->name) : NULL;
        if (v)
            get_field(f, v, (char *)base + f->offset, keep, ctx);
    }
}

/* One step of a path: a name, or an index in brackets. *path moves on. */
static const cJSON *step(const cJSON *o, const char **path)
{
    char word[64];

    if (**path == '[') {
        char *end;
        long i = strtol(*path + 1, &end, 10);
        *path = *end == ']' ? end + 1 : end;
        return i >= 0 && i <= INT32_MAX ? cJSON_GetArrayItem(o, (int)i) : NULL;
    }
    size_t n = strcspn(*path, ".[");
    snprintf(word, sizeof word, "%.*s", (int)n, *path);
    *path += n;
    return cJSON_GetObjectItemCaseSensitive(o, word);
}

const cJSON *json_at(const cJSON *o, const char *path)
{
    while (o && *path) {
        o = step(o, &path);
        if (*path == '.')
            path++;
    }
    return o;
}

const char *json_text(const cJSON *o, const char *path, const char *fallback)
{
    const cJSON *v = json_at(o, path);
    return cJSON_IsString(v) ? v->valuestring : fallback;
}

double json_number(const cJSON *o, const char *path, double fallback)
{
    const cJSON *v = json_at(o, path);
    return cJSON_IsNumber(v) ? v->valuedouble : fallback;
}

long json_integer(const cJSON *o, const char *path, long least, long most, long fallback)
{
    double v = json_number(o, path, NAN);
    return v >= (double)least && v <= (double)most ? (long)v : fallback;
}
