/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structs to JSON and back, by one table per struct. Used by what makes
 * records and journals; the only header here that shows cJSON.
 *
 * A name may have dots: "quality.rcp.seeds" goes into nested objects, made
 * on demand. A value that is not there (an empty text, a number that is not
 * finite or at its `none`) becomes null, and its reason goes to `reasons`
 * under path + name. Without `reasons` (journals) a measure's reason stands
 * in its own place, so that reading gives the same measure again.
 *
 * Life:    objects belong to the caller; strings are copied.
 * Failure: putting returns -1 only when out of memory; getting skips what is
 *          absent or of another type: the text may be torn or hostile.
 * Threads: none inside.
 */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>

enum field_kind {
    FIELD_TEXT, /* char[size] */
    FIELD_INT,
    FIELD_LONG,
    FIELD_U64,
    FIELD_BOOL,
    FIELD_DOUBLE,
    FIELD_POSITIVE, /* double; 0 means none */
    FIELD_MEASURE,
    FIELD_STATUS /* enum run_status */
};

struct field {
    const char *name; /* NULL ends a table */
    enum field_kind kind;
    size_t offset, size;
    const char *why; /* the reason when there is none; NULL: always there */
    long none;       /* integers: this and below mean none, when there is a why */
};

#define FIELD(type, member, kind_, name_)                                                          \
    {                                                                                              \
        name_, FIELD_##kind_, offsetof(struct type, member), sizeof(((struct type *)0)->member),   \
            NULL, 0                                                                                \
    }
#define FIELD_OR(type, member, kind_, name_, why_, none_)                                          \
    {                                                                                              \
        name_, FIELD_##kind_, offsetof(struct type, member), sizeof(((struct type *)0)->member),   \
            why_, none_                                                                            \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        NULL, FIELD_TEXT, 0, 0, NULL, 0                                                            \
    }

/* Where the nulls of an object are explained. reasons NULL: nowhere. */
struct nulls {
    cJSON *reasons;
    char path[128];
};

/* Places below n: nulls_at(&n, "workloads[%d]", i). */
struct nulls nulls_at(const struct nulls *n, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A text as JSON: what is not UTF-8 and control characters become '?'. */
cJSON *json_string(const char *text);

/* Gives the reason for what stands at n->path, unless one is given already. */
int put_reason(const struct nulls *n, const char *why);
/* Puts null under name (may have dots) and the reason. */
int put_null(cJSON *o, const char *name, const char *why, const struct nulls *n);
/* Every text and key of a document by utf8_clean(), so that nothing that shows
 * it must think of control characters. */
void json_clean(cJSON *o);

/* A number, or null when it is not finite. */
int put_number(cJSON *o, const char *name, double v, const char *why, const struct nulls *n);
int put_u64(cJSON *o, const char *name, uint64_t v);
int put_bool(cJSON *o, const char *name, int v);
/* A text by json_string(), or null when it is empty and there is a why. */
int put_text(cJSON *o, const char *name, const char *text, const char *why, const struct nulls *n);
/* A new object or array under name, NULL when out of memory. */
cJSON *put_object(cJSON *o, const char *name);
cJSON *put_array(cJSON *o, const char *name);

int fields_put(cJSON *o, const struct field *table, const void *base, const struct nulls *n);

/* keep(ctx, text) returns a copy that outlives the measure. */
void fields_get(const cJSON *o, const struct field *table, void *base,
                const char *(*keep)(void *ctx, const char *text), void *ctx);

/* Value at a dotted path ("a.b[2].c"), NULL when there is none. */
const cJSON *json_at(const cJSON *o, const char *path);
/* Its text or number, or the fallback when absent or of another type. */
const char *json_text(const cJSON *o, const char *path, const char *fallback);
double json_number(const cJSON *o, const char *path, double fallback);
/* A whole number in [least, most], or the fallback. */
long json_integer(const cJSON *o, const char *path, long least, long most, long fallback);

/* "complete", "partial", "crashed"; -1 when the word is none. */
const char *status_name(int status);
int status_of(const char *word);

#endif
