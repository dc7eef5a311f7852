/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structs to JSON and back, by one table per struct. The tables of a record
 * (record_tables.c) are the one home of each field: by them the record is
 * written and read, the schema and hpcai500-record(5) are made, and names are
 * hidden. This is the only header here that shows cJSON.
 *
 * A new field is one row, and a member of the struct that it is read from:
 *
 *     FIELD(workload_result, batch, LONG, "batch", "global batch", .unit = "samples",
 *           .why = "stopped before it was chosen", .leaves = true),
 *
 * What a row does not say takes the careful value: no null, no number below 0, no
 * control character, nothing longer than the member, and hidden from others
 * when a run is confidential. A row with `.secret` is redacted as what it is.
 *
 * A name may have dots: "quality.rcp.seeds" goes into nested objects, made
 * on demand. A value that is not there (an empty text, a number that is not
 * finite or at its `none`) becomes null, and its reason goes to `reasons`
 * under path + name. Without `reasons` (journals) a measure's reason stands
 * in its own place, and reading gives the same measure again.
 *
 * Life:    objects belong to the caller; strings are copied. Tables are const.
 * Failure: putting returns -1 only when out of memory; getting skips what is
 *          absent or of another type: the text may be torn or hostile.
 * Threads: none inside.
 */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>

enum field_kind {
    FIELD_TEXT,  /* char[size] */
    FIELD_NAME,  /* const char *, borrowed; NULL and "": none. Not read back. */
    FIELD_CONST, /* always words[0]; no member */
    FIELD_INT,
    FIELD_LONG,
    FIELD_U64,
    FIELD_BOOL,
    FIELD_MAYBE, /* int: 1 yes, 0 no, -1 unknown */
    FIELD_DOUBLE,
    FIELD_POSITIVE, /* double; 0 means none */
    FIELD_MEASURE,
    FIELD_STATUS,      /* enum run_status */
    FIELD_FACT_TEXT,   /* struct record_fact */
    FIELD_FACT_NUMBER, /* the same */
    /* What holds others: put by hand. */
    FIELD_OBJECT,  /* of the rows `below`, or of those whose names begin with its name */
    FIELD_LIST,    /* of objects of the rows `below` */
    FIELD_TEXTS,   /* list of texts, each as the row says */
    FIELD_NUMBERS, /* list of numbers */
    FIELD_MAP,     /* under keys that are data: each null or an object of the rows `below`;
                    * without `below` a text */
    FIELD_ROWS     /* no field: the rows `below` stand here too */
};

/* Numbers that may stand there, beside null. */
enum field_range {
    RANGE_COUNT, /* 0 and more; whole numbers that may be null: above their `none` */
    RANGE_ANY,
    RANGE_ONE,      /* 1 and more */
    RANGE_PART,     /* 0 to 1 */
    RANGE_MINUS_ONE /* -1 and more */
};

/* What a value tells, and by which of the site's words it is hidden. */
enum field_secret {
    SECRET_NONE,
    SECRET_USER,
    SECRET_UID,
    SECRET_ACCOUNT,
    SECRET_PARTITION,
    SECRET_CLUSTER,
    SECRET_JOB_NAME,
    SECRET_JOB,
    SECRET_ID, /* made of cluster, job or time */
    SECRET_RANKS_FILE,
    SECRET_HOST,
    SECRET_RUN_TEXT, /* may hold folders */
    SECRET_FOLDER,   /* of data */
    SECRET_SETTINGS, /* variables; some hold paths (LD_PRELOAD) */
    SECRET_DATA,     /* tells equal data */
    SECRET_TIME
};

struct field {
    const char *name; /* NULL ends a table */
    enum field_kind kind;
    size_t offset, size; /* of the member; size 0: none, it is put by hand */
    const char *title;   /* what it is, for people: lower case, no full stop */
    const char *why;     /* the reason when there is none; NULL: always there */
    long none;           /* whole numbers: this and below mean none, when there is a why */

    /* what may stand there */
    enum field_range range;
    const char *const *words; /* the only ones; NULL ends */
    const char *pattern;      /* of a text, or of a map's keys; ECMA. NULL: no control characters */
    bool empty;               /* a text that is always there may be empty */
    int most;                 /* bytes of a text without char[size], rows of a list; 0: any */
    const struct field *below;

    /* for people */
    const char *unit;
    const char *since; /* version of the schema; NULL: 1.0.0 */
    const char *by;    /* who fills it in; NULL: who fills what it stands in */

    /* who else may see it */
    enum field_secret secret;
    bool leaves;                    /* stays in a confidential record, if nothing but a number,
                                    * true or false, a salted hash, or one of its words */
    int (*known)(const char *word); /* more words that may leave: not negative for them */
};

/* A row with a member, one that is put by hand, and what ends a table. The
 * rest is .why, .unit, ... of struct field. */
#define FIELD(type, member, kind_, name_, ...)                                                     \
    {                                                                                              \
        .name = name_, .kind = FIELD_##kind_, .offset = offsetof(struct type, member),             \
        .size = sizeof(((struct type *)0)->member), .title = __VA_ARGS__                           \
    }
#define FIELD_HAND(kind_, name_, ...)                                                              \
    {                                                                                              \
        .name = name_, .kind = FIELD_##kind_, .title = __VA_ARGS__                                 \
    }
#define FIELD_ROWS(table)                                                                          \
    {                                                                                              \
        .name = "", .kind = FIELD_ROWS, .below = table                                             \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* The key of a map on the way to a value; map NULL: none. */
struct field_key {
    const struct field *map;
    char text[64];
};

/* The row of a value's path below a table; every index is "[]":
 * "workloads[].phases.compute.worst[].node". NULL: no such field. */
const struct field *field_find(const struct field *table, const char *path, struct field_key *key);

/* What JSON holds there; HOLDS: an object, a list or a map, of whatever. */
enum field_type { TYPE_TEXT, TYPE_WHOLE, TYPE_NUMBER, TYPE_BOOL, TYPE_HOLDS };
enum field_type field_type(const struct field *f);
bool field_holds(const struct field *f);
/* May be null. */
bool field_nullable(const struct field *f);

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

/* "complete", "partial", "crashed"; -1 for another word. */
const char *status_name(int status);
int status_of(const char *word);

#endif
