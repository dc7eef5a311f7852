/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/runspec.h"

#include <stdarg.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/keys.h"
#include "reports/core/utf8.h"

/* A test may put another table of workloads in its place. */
#ifndef RUNSPEC_WORKLOADS
#define RUNSPEC_WORKLOADS "reports/core/workloads.def"
#endif

struct suite {
    const char *name;
    const char *title;
};

/* Stands for every suite. */
static const char every_suite[] = "all";

static const struct suite suites[] = {
#define SUITE(symbol, title_) {#symbol, title_},
#include RUNSPEC_WORKLOADS
    {every_suite, "every workload of every suite"},
};

static const struct runspec_workload workloads[] = {
#define WORKLOAD(symbol, suite_, field_, dtypes_, title_)                                          \
    {.name = #symbol, .suite = #suite_, .field = field_, .title = title_, .dtypes = dtypes_},
#define CEILING(symbol, suite_, field_, dtypes_, title_)                                           \
    {.name = #symbol,                                                                              \
     .suite = #suite_,                                                                             \
     .field = field_,                                                                              \
     .title = title_,                                                                              \
     .dtypes = dtypes_,                                                                            \
     .ceiling = true},
#include RUNSPEC_WORKLOADS
};

enum {
    N_SUITES = sizeof suites / sizeof suites[0],
    N_WORKLOADS = sizeof workloads / sizeof workloads[0],
};
_Static_assert((int)N_WORKLOADS <= (int)RUNSPEC_MAX_WORKLOADS,
               "struct runspec has no room for them all");

static const char *const class_words[] = {"auto", "tiny", "small", "standard", NULL};
static const char *const dtype_words[] = {"f32", "bf16", NULL};
static const char *const engine_words[] = {"auto", "cpu", "ref", NULL};
static const char *const division_words[] = {"closed", "look-alike", "private", NULL};
static const char *const yesno_words[] = {"no", "yes", NULL};
static const char *const turns_words[] = {"auto", "no", "yes", NULL};
_Static_assert(sizeof class_words / sizeof *class_words == CLASS_COUNT + 1, "a word per class");
_Static_assert(sizeof dtype_words / sizeof *dtype_words == DTYPE_COUNT + 1, "a word per dtype");
_Static_assert(sizeof engine_words / sizeof *engine_words == ENGINE_COUNT + 1, "a word per engine");
_Static_assert(sizeof division_words / sizeof *division_words == DIVISION_COUNT + 1,
               "a word per division");

static const struct keys_style style = {"", "=", '+'};

/* What only a run text has. `data` can have a value per workload, which
 * value_data() tells. */
static int parse_out(void *, const struct keys_key *, const char *, const struct keys_style *,
                     struct err *);
static int parse_data(void *, const struct keys_key *, const char *, const struct keys_style *,
                      struct err *);
static const struct keys_kind a_place = {parse_out, keys_format_text};
static const struct keys_kind some_data = {parse_data, NULL};

#define FIELD(member) KEYS_FIELD(struct runspec, member)

static const struct keys_key keys[KEY_COUNT] = {
    [KEY_CLASS] = {"class", &keys_word, FIELD(class), "auto", class_words, 0, 0, NULL,
                   "size of the problem; auto: the largest that fits memory and time"},
    [KEY_DTYPE] = {"dtype", &keys_word, FIELD(dtype), "f32", dtype_words, 0, 0, NULL,
                   "arithmetic of the training"},
    [KEY_DATA] = {"data", &some_data, FIELD(data), NULL, NULL, 0, 0, "[WORKLOAD:]FOLDER",
                  "data to train on, per workload when several run; else generated"},
    [KEY_EPOCHS] = {"epochs", &keys_whole, FIELD(epochs), NULL, NULL, 1, 100000, "N",
                    "at most so many epochs; else the class's own limit"},
    [KEY_TARGET] = {"target", &keys_decimal, FIELD(target), NULL, NULL, 1, 1000000000000, "X",
                    "quality to reach; else the class's own"},
    [KEY_TIME] = {"time", &keys_time, FIELD(time_seconds), "10m", NULL, 1, 720 * 3600, "N(s|m|h)",
                  "for the whole run"},
    [KEY_SEED] = {"seed", &keys_whole, FIELD(seed), "1", NULL, 0, UINT64_MAX, "N",
                  "of every random number"},
    [KEY_BATCH] = {"batch", &keys_whole, FIELD(batch), NULL, NULL, 1, 1 << 24, "N",
                   "samples per step over all ranks; else the class's own"},
    [KEY_THREADS] = {"threads", &keys_whole, FIELD(threads), NULL, NULL, 1, 4096, "N",
                     "per rank; else all that the rank may use"},
    [KEY_ENGINE] = {"engine", &keys_word, FIELD(engine), "auto", engine_words, 0, 0, NULL,
                    "back end that computes"},
    [KEY_TURNS] = {"turns", &keys_word, FIELD(turns), "auto", turns_words, 0, 0, NULL,
                   "micro: one node or pair at a time; auto: where cores turn out to be shared"},
    [KEY_OUT] = {"out", &a_place, FIELD(out), NULL, NULL, 0, 0, "FOLDER|NAME.json|none",
                 "where the record goes; else the site's spool and a copy in the working folder"},
    [KEY_GATE] = {"gate", &keys_word, FIELD(gate), "no", yesno_words, 0, 0, NULL,
                  "yes: a failed or invalid run stops the command after it"},
    [KEY_DIVISION] = {"division", &keys_word, FIELD(division), "closed", division_words, 0, 0, NULL,
                      "rules that the run follows; see the record"},
    [KEY_REDACT] = {"redact", &keys_words, FIELD(redact), NULL, conf_redact_words, 0, 0,
                    "WORD[+WORD]...",
                    "what archive and exports hide, beside what the site does: user, account, "
                    "host, path, job_name, job, cluster, partition, data, time"},
    [KEY_CONFIDENTIAL] = {"confidential", &keys_word, FIELD(confidential), "no", yesno_words, 0, 0,
                          NULL, "yes: archive and exports show what tells nothing of anybody"},
};

static int check_text(const char *text, struct err *e)
{
    uint32_t c;
    int n;

    if (strnlen(text, RUNSPEC_MAX_BYTES + 1) > RUNSPEC_MAX_BYTES)
        return err_set(e, "the run text is longer than %d bytes", RUNSPEC_MAX_BYTES);
    for (int at = 0; text[at]; at += n) {
        n = utf8_decode((const unsigned char *)text + at, strlen(text + at), &c);
        if (n == 0)
            return err_set(e, "byte %d of the run text is not UTF-8", at + 1);
        if (utf8_steers(c))
            return err_set(e, "byte %d of the run text is an unprintable character", at + 1);
    }
    return 0;
}

/* Copies into word what stands before the next of the stops, and moves on to
 * it. word has room for the whole text. */
static void take(const char **p, const char *stops, char *word)
{
    size_t n = strcspn(*p, stops);

    memcpy(word, *p, n);
    word[n] = '\0';
    *p += n;
}

/* The value after "=": quoted when it holds a comma, '' is a quote in it. */
static int take_value(const char **p, const char *key, char *value, struct err *e)
{
    if (**p != '\'') {
        take(p, ",", value);
        return 0;
    }
    for (const char *s = *p + 1; *s; s++) {
        if (*s == '\'' && *++s != '\'') {
            *value = '\0';
            *p = s;
            if (*s && *s != ',')
                return err_set(e, "%s= has '%s' after its closing quote", key, s);
            return 0;
        }
        *value++ = *s;
    }
    return err_set(e, "%s=%s has no closing quote", key, *p);
}

static int suite_find(const char *name)
{
    for (int i = 0; i < N_SUITES; i++)
        if (strcmp(suites[i].name, name) == 0)
            return i;
    return -1;
}

int runspec_find(const char *name)
{
    for (int i = 0; i < N_WORKLOADS; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return i;
    return -1;
}

const struct runspec_workload *runspec_workload(int i)
{
    return i >= 0 && i < N_WORKLOADS ? &workloads[i] : NULL;
}

static bool in_suite(int workload, const char *suite)
{
    return strcmp(suite, every_suite) == 0 || strcmp(suite, workloads[workload].suite) == 0;
}

/* "...; the nearest is 'word'", or where to find them all. */
static int refuse(struct err *e, const char *what, const char *word, const char *const *known,
                  int n)
{
    return keys_refuse(what, word, known, n, "'help' shows them all", e);
}

static int add_workload(struct runspec *r, int workload, struct err *e)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (r->workloads[i] == workload)
            return err_set(e, "'%s' is given twice%s%s", workloads[workload].name,
                           r->suite[0] ? ": it is in " : "", r->suite);
    r->workloads[r->n_workloads++] = workload;
    return 0;
}

static int add_name(struct runspec *r, const char *name, struct err *e)
{
    const char *known[N_SUITES + N_WORKLOADS];
    int suite = suite_find(name);
    int workload = runspec_find(name);

    if (suite >= 0 && r->n_workloads > 0)
        return err_set(e, "the suite '%s' can only be the first word", name);
    if (suite >= 0) {
        snprintf(r->suite, sizeof r->suite, "%s", suites[suite].name);
        for (int i = 0; i < N_WORKLOADS; i++)
            if (in_suite(i, name))
                r->workloads[r->n_workloads++] = i;
        return 0;
    }
    if (workload >= 0)
        return add_workload(r, workload, e);
    if (!*name)
        return err_set(e, "the run text names no suite or workload; say for example '%s'",
                       suites[0].name);
    for (int i = 0; i < N_SUITES + N_WORKLOADS; i++)
        known[i] = i < N_SUITES ? suites[i].name : workloads[i - N_SUITES].name;
    return refuse(e, "suite or workload", name, known, N_SUITES + N_WORKLOADS);
}

static int parse_names(struct runspec *r, const char **p, struct err *e)
{
    char name[RUNSPEC_MAX_BYTES + 1];

    for (;; (*p)++) {
        take(p, "+,", name);
        if (add_name(r, name, e))
            return -1;
        if (**p != '+')
            return 0;
    }
}

/* A word without "=": perhaps its key was forgotten. */
static int refuse_pair(const char *word, struct err *e)
{
    for (int k = 0; k < KEY_COUNT; k++)
        for (const char *const *w = keys[k].words; w && *w; w++)
            if (strcmp(*w, word) == 0)
                return err_set(e, "'%s' is not key=value; the nearest is '%s=%s'", word,
                               keys[k].name, word);
    return err_set(e, "'%s' is not key=value; say for example 'class=tiny'", word);
}

static int parse_pair(struct runspec *r, const char **p, struct err *e)
{
    const char *known[KEY_COUNT];
    char name[RUNSPEC_MAX_BYTES + 1];
    char value[RUNSPEC_MAX_BYTES + 1];
    int k = 0;

    take(p, "=,", name);
    if (**p != '=')
        return refuse_pair(name, e);
    (*p)++;
    while (k < KEY_COUNT && strcmp(keys[k].name, name) != 0)
        k++;
    if (k == KEY_COUNT) {
        for (int i = 0; i < KEY_COUNT; i++)
            known[i] = keys[i].name;
        return refuse(e, "key", name, known, KEY_COUNT);
    }
    if (r->set & 1u << k && keys[k].kind != &some_data)
        return err_set(e, "'%s' is given twice", name);
    r->set |= 1u << k;
    if (take_value(p, name, value, e))
        return -1;
    return keys[k].kind->parse(r, &keys[k], value, &style, e);
}

/* What can only be judged when all is said. */
static int check_workloads(const struct runspec *r, struct err *e)
{
    for (int i = 0; i < r->n_workloads; i++) {
        const struct runspec_workload *w = &workloads[r->workloads[i]];
        unsigned other = 0;

        if (w->dtypes & 1u << r->dtype)
            continue;
        while (other < DTYPE_COUNT - 1 && !(w->dtypes & 1u << other))
            other++;
        return err_set(e, "%s does not support dtype=%s; the nearest is 'dtype=%s'", w->name,
                       dtype_words[r->dtype], dtype_words[other]);
    }
    return 0;
}

/* A key said with its default is as good as not said. */
static void forget_defaults(struct runspec *r)
{
    char value[RUNSPEC_MAX_BYTES * 2];

    for (int k = 0; k < KEY_COUNT; k++) {
        if (!keys[k].fallback)
            continue;
        keys[k].kind->format(r, &keys[k], &style, value, sizeof value);
        if (strcmp(value, keys[k].fallback) == 0)
            r->set &= ~(1u << k);
    }
}

int runspec_parse(struct runspec *r, const char *text, struct err *e)
{
    struct runspec next;
    const char *p = text;

    if (check_text(text, e))
        return -1;
    memset(&next, 0, sizeof next);
    for (int k = 0; k < KEY_COUNT; k++)
        if (keys[k].fallback)
            keys[k].kind->parse(&next, &keys[k], keys[k].fallback, &style, NULL);
    if (parse_names(&next, &p, e))
        return -1;
    while (*p == ',') {
        p++;
        if (parse_pair(&next, &p, e))
            return -1;
    }
    if (check_workloads(&next, e))
        return -1;
    forget_defaults(&next);
    memcpy(r, &next, sizeof next);
    return 0;
}

/* ---- kinds of value that are a run text's alone ---- */

static int parse_out(void *base, const struct keys_key *k, const char *value,
                     const struct keys_style *s, struct err *e)
{
    if (!*value)
        return err_set(e, "%s%s needs a folder", k->name, s->equals);
    return keys_store_text(base, k, value, e);
}

/* The workload of the run whose name stands before a colon; -1: none. */
static int data_owner(const struct runspec *r, const char *name)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (strcmp(workloads[r->workloads[i]].name, name) == 0)
            return i;
    return -1;
}

/* [WORKLOAD:]FOLDER. The folder may hold colons, so what stands before the
 * first is a workload only if it is called so, or if several run. */
static int parse_data(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
{
    struct runspec *r = base;
    const char *known[RUNSPEC_MAX_WORKLOADS];
    const char *folder = value;
    char name[RUNSPEC_MAX_BYTES + 1];
    int owner = 0;

    (void)s;
    for (int i = 0; i < r->n_workloads; i++)
        known[i] = workloads[r->workloads[i]].name;
    take(&folder, ":", name);
    if (*folder && (r->n_workloads > 1 || runspec_find(name) >= 0)) {
        owner = data_owner(r, name);
        if (owner < 0)
            return refuse(e, "workload in this run called", name, known, r->n_workloads);
        folder++;
    } else if (r->n_workloads > 1) {
        return err_set(e, "%s=%s must say for which workload, as several run: '%s=%s:%s'", k->name,
                       value, k->name, known[0], value);
    } else {
        folder = value;
    }
    if (!*folder)
        return err_set(e, "%s=%s needs a folder", k->name, value);
    if (r->data[owner][0])
        return err_set(e, "'%s' of %s is given twice", k->name, known[owner]);
    snprintf(r->data[owner], sizeof r->data[owner], "%s", folder);
    return 0;
}

/* The i-th; false: there is none. */
static bool value_data(const struct runspec *r, int i, char *buf, size_t size)
{
    char head[RUNSPEC_MAX_BYTES + 1];
    const char *rest;

    if (i >= r->n_workloads || !r->data[i][0])
        return false;
    rest = r->data[i];
    take(&rest, ":", head);
    bool named = r->n_workloads > 1 || (*rest && runspec_find(head) >= 0);
    snprintf(buf, size, "%s%s%s", named ? workloads[r->workloads[i]].name : "", named ? ":" : "",
             r->data[i]);
    return true;
}

/* ---- canonical text ---- */

struct out {
    char *buf;
    size_t size, length;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
    size_t room = o->length < o->size ? o->size - o->length : 0;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(room ? o->buf + o->length : NULL, room, fmt, ap);
    va_end(ap);
    o->length += n > 0 ? (size_t)n : 0;
}

static void put_value(struct out *o, const char *value)
{
    if (*value != '\'' && !strchr(value, ',')) {
        put(o, "%s", value);
        return;
    }
    put(o, "'");
    for (; *value; value++)
        put(o, "%s%c", *value == '\'' ? "'" : "", *value);
    put(o, "'");
}

static void put_names(struct out *o, const struct runspec *r)
{
    const char *plus = "";

    if (r->suite[0]) {
        put(o, "%s", r->suite);
        plus = "+";
    }
    for (int i = 0; i < r->n_workloads; i++) {
        if (r->suite[0] && in_suite(r->workloads[i], r->suite))
            continue;
        put(o, "%s%s", plus, workloads[r->workloads[i]].name);
        plus = "+";
    }
}

/* The i-th value of a key; `data` alone can have several. */
static bool value_of(const struct runspec *r, int k, int i, char *value, size_t size)
{
    if (keys[k].kind == &some_data)
        return value_data(r, i, value, size);
    if (i == 0)
        keys[k].kind->format(r, &keys[k], &style, value, size);
    return i == 0;
}

int runspec_format(const struct runspec *r, char *buf, size_t size)
{
    char value[RUNSPEC_MAX_BYTES * 2];
    struct out o = {buf, size, 0};

    put_names(&o, r);
    for (int k = 0; k < KEY_COUNT; k++) {
        if (!(r->set & 1u << k))
            continue;
        for (int i = 0; i < RUNSPEC_MAX_WORKLOADS; i++) {
            if (!value_of(r, k, i, value, sizeof value))
                continue;
            put(&o, ",%s=", keys[k].name);
            put_value(&o, value);
        }
    }
    return o.length < size ? (int)o.length : -1;
}

/* ---- words, cost, help ---- */

const char *runspec_class_name(enum runspec_class c)
{
    return class_words[c];
}

const char *runspec_dtype_name(enum runspec_dtype d)
{
    return dtype_words[d];
}

const char *runspec_engine_name(enum runspec_engine x)
{
    return engine_words[x];
}

const char *runspec_division_name(enum runspec_division d)
{
    return division_words[d];
}

double runspec_node_hours(const struct runspec *r, unsigned nodes)
{
    return nodes * r->time_seconds / 3600;
}

static void help_key(const struct keys_key *k, FILE *f)
{
    char shape[80];
    struct out o = {shape, sizeof shape, 0};

    put(&o, "%s=%s", k->name, k->shape ? k->shape : "");
    for (const char *const *w = k->shape ? NULL : k->words; w && *w; w++)
        put(&o, "%s%s", w == k->words ? "" : "|", *w);
    fprintf(f, "  %-36s %s%s%s%s\n", shape, k->help, k->fallback ? " [" : "",
            k->fallback ? k->fallback : "", k->fallback ? "]" : "");
}

void runspec_help(FILE *f)
{
    fprintf(f,
            "RUN is SUITE-or-WORKLOAD[+WORKLOAD...][,key=value]..., at most %d bytes;\n"
            "a value with a comma is quoted: data='a,b'. 'list' shows suites and workloads.\n\n"
            "Keys:\n",
            RUNSPEC_MAX_BYTES);
    for (int k = 0; k < KEY_COUNT; k++)
        help_key(&keys[k], f);
    fprintf(f, "\nExample: %s,class=tiny,time=5m\n", suites[0].name);
}

void runspec_list(FILE *f)
{
    fprintf(f, "Suites:\n");
    for (int i = 0; i < N_SUITES; i++)
        fprintf(f, "  %-12s %s\n", suites[i].name, suites[i].title);
    fprintf(f, "Workloads:\n");
    for (int i = 0; i < N_WORKLOADS; i++)
        fprintf(f, "  %-12s %s (%s; in %s)\n", workloads[i].name, workloads[i].title,
                workloads[i].field, workloads[i].suite);
}

int runspec_answer(const char *text, FILE *f)
{
    static const struct {
        const char *word;
        void (*print)(FILE *f);
    } answers[] = {{"help", runspec_help}, {"list", runspec_list}};

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strcmp(text, answers[i].word) == 0) {
            answers[i].print(f);
            return 1;
        }
    return 0;
}
