/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/runspec.h"

#include <stdarg.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/keys.h"
#include "reports/core/runspec_table.h"
#include "reports/core/runspec_value.h"
#include "reports/core/utf8.h"

static const char *const class_words[] = {"auto", "tiny", "small", "standard", NULL};
static const char *const dtype_words[] = {"f32", "bf16", NULL};
static const char *const engine_words[] = {"auto", "cpu", "ref", NULL};
static const char *const division_words[] = {"closed", "look-alike", "private", NULL};
static const char *const yesno_words[] = {"no", "yes", NULL};
static const char *const diagnose_words[] = {"no", "quick", "yes", NULL};
static const char *const turns_words[] = {"auto", "no", "yes", NULL};
static const char *const profile_words[] = {"quick", "standard", "deep", NULL};
_Static_assert(sizeof class_words / sizeof *class_words == CLASS_COUNT + 1, "a word per class");
_Static_assert(sizeof dtype_words / sizeof *dtype_words == DTYPE_COUNT + 1, "a word per dtype");
_Static_assert(sizeof engine_words / sizeof *engine_words == ENGINE_COUNT + 1, "a word per engine");
_Static_assert(sizeof division_words / sizeof *division_words == DIVISION_COUNT + 1,
               "a word per division");

/* The row that chooses nodes for what follows it. */
static const char vet[] = "vet";

static const struct runspec_table table = {runspec_find, runspec_workload};
static const struct keys_style style = {"", "=", '+'};

#define FIELD(member) KEYS_FIELD(struct runspec, member)
#define BIT(key)      (1u << KEY_##key)

/* Keys whose value belongs to a workload: runspec_value.h. */
static const unsigned per_workload =
    BIT(MODEL) | BIT(DATA) | BIT(EPOCHS) | BIT(TARGET) | BIT(BATCH) | BIT(CHECKPOINT) | BIT(RESUME);

static const struct keys_key keys[KEY_COUNT] = {
    [KEY_CLASS] = {"class", &keys_word, FIELD(class), "auto", class_words, 0, 0, NULL,
                   "size of the problem; auto: the largest that fits memory and time"},
    [KEY_DTYPE] = {"dtype", &keys_word, FIELD(dtype), "f32", dtype_words, 0, 0, NULL,
                   "arithmetic of the training"},
    [KEY_MODEL] = {"model", &runspec_word, FIELD(model[0]), NULL, NULL, 0, 0, "[WORKLOAD:]NAME",
                   "which of the workload's models; else its first"},
    [KEY_DATA] = {"data", &runspec_folder, FIELD(data[0]), NULL, NULL, 0, 0, "[WORKLOAD:]FOLDER",
                  "data to train on, FOLDER/WORKLOAD when several run; else generated"},
    [KEY_EPOCHS] = {"epochs", &keys_whole, FIELD(epochs[0]), NULL, NULL, 1, 100000, "[WORKLOAD:]N",
                    "at most so many epochs; else the class's own limit"},
    [KEY_TARGET] = {"target", &keys_decimal, FIELD(target[0]), NULL, NULL, 1, 1000000000000,
                    "[WORKLOAD:]X", "quality to reach; else the class's own"},
    [KEY_TIME] = {"time", &keys_time, FIELD(time_seconds), "10m", NULL, 1, 720 * 3600, "N(s|m|h)",
                  "for the whole run; a suite has its own: see 'list'"},
    [KEY_SEED] = {"seed", &keys_whole, FIELD(seed), "1", NULL, 0, UINT64_MAX, "N",
                  "of every random number"},
    [KEY_RUNS] = {"runs", &keys_whole, FIELD(runs), "1", NULL, 1, RUNSPEC_MAX_WORKLOADS, "N",
                  "runs of each training, with seeds from seed= on"},
    [KEY_BATCH] = {"batch", &keys_whole, FIELD(batch[0]), NULL, NULL, 1, 1 << 24, "[WORKLOAD:]N",
                   "samples per step over all ranks; else the class's own"},
    [KEY_THREADS] = {"threads", &keys_whole, FIELD(threads), NULL, NULL, 1, 4096, "N",
                     "per rank; else all that the rank may use"},
    [KEY_ENGINE] = {"engine", &keys_word, FIELD(engine), "auto", engine_words, 0, 0, NULL,
                    "back end that computes"},
    [KEY_CHECKPOINT] = {"checkpoint", &runspec_folder, FIELD(checkpoint[0]), NULL, NULL, 0, 0,
                        "[WORKLOAD:]FOLDER",
                        "where each epoch's state goes, FOLDER/WORKLOAD when several run"},
    [KEY_RESUME] = {"resume", &runspec_folder, FIELD(resume[0]), NULL, NULL, 0, 0,
                    "[WORKLOAD:]FOLDER", "go on from the state in that folder"},
    [KEY_TURNS] = {"turns", &keys_word, FIELD(turns), "auto", turns_words, 0, 0, NULL,
                   "micro: one node or pair at a time; auto: where cores turn out to be shared"},
    [KEY_PROFILE] = {"profile", &keys_word, FIELD(profile), "standard", profile_words, 0, 0, NULL,
                     "validate: tests of some 20 s, a minute or 12 minutes a node"},
    [KEY_BUDGET] = {"budget", &keys_time, FIELD(budget_seconds), NULL, NULL, 1, 86400, "N(s|m|h)",
                    "validate: of the profile's tests those that find most in so long"},
    [KEY_PAUSE] = {"pause", &keys_time, FIELD(pause_seconds), NULL, NULL, 1, 3600, "N(s|m|h)",
                   "validate: between rounds of what stands out; else a minute, and for vet none"},
    [KEY_SPARES] = {"spares", &keys_whole, FIELD(spares), NULL, NULL, 1, 4095, "N",
                    "vet: so many nodes of a batch job are left out"},
    [KEY_BUCKET] = {"bucket", &keys_bytes, FIELD(bucket_bytes), NULL, NULL, 0, 0, "SIZE",
                    "most bytes of gradients exchanged together; else from the network's plan"},
    [KEY_WORKERS] = {"workers", &keys_whole, FIELD(workers), NULL, NULL, 1, 64, "N",
                     "threads that read and decode samples, per rank; else as many as compute"},
    [KEY_AHEAD] = {"ahead", &keys_whole, FIELD(ahead), NULL, NULL, 1, 64, "N",
                   "batches that a rank keeps ready; else 2"},
    [KEY_KEEP] = {"keep", &keys_word, FIELD(keep), "yes", yesno_words, 0, 0, NULL,
                  "no: samples are read from their files in every epoch, never kept in memory"},
    [KEY_DIAGNOSE] = {"diagnose", &keys_word, FIELD(diagnose), "no", diagnose_words, 0, 0, NULL,
                      "after training, time steps without the loader, without the exchange, ..."},
    [KEY_OUT] = {"out", &runspec_folder, FIELD(out), NULL, NULL, 0, 0, "FOLDER|NAME.json|none",
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
                          NULL, "yes: archive and exports show what identifies nobody"},
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
            return err_set(e, "'%s' is given twice%s%s", runspec_workload(workload)->name,
                           r->suite[0] ? ": it is in " : "", r->suite);
    r->workloads[r->n_workloads++] = workload;
    return 0;
}

/* The word is in neither table. */
static int refuse_name(const char *name, struct err *e)
{
    const char *known[2 * RUNSPEC_MAX_WORKLOADS + 1];
    int n = 0;

    for (int i = 0; runspec_suite(i) && n < RUNSPEC_MAX_WORKLOADS + 1; i++)
        known[n++] = runspec_suite(i)->name;
    for (int i = 0; runspec_workload(i); i++)
        known[n++] = runspec_workload(i)->name;
    return refuse(e, "suite or workload", name, known, n);
}

static int add_name(struct runspec *r, const char *name, struct err *e)
{
    const struct runspec_suite *suite = runspec_suite_find(name);
    const int workload = runspec_find(name);

    if (suite && r->n_workloads > 0)
        return err_set(e, "the suite '%s' can only be the first word", name);
    if (suite) {
        snprintf(r->suite, sizeof r->suite, "%s", suite->name);
        for (int i = 0; runspec_workload(i); i++)
            if (runspec_in_suite(i, name))
                r->workloads[r->n_workloads++] = i;
        return 0;
    }
    if (workload >= 0)
        return add_workload(r, workload, e);
    if (!*name)
        return err_set(e, "the run text names no suite or workload; say for example '%s'",
                       runspec_suite(0)->name);
    return refuse_name(name, e);
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
    if (r->set & ~per_workload & 1u << k)
        return err_set(e, "'%s' is given twice", name);
    r->set |= 1u << k;
    if (take_value(p, name, value, e))
        return -1;
    if (per_workload & 1u << k)
        return runspec_value_parse(r, &(struct runspec_values){&keys[k], &style, &table}, value, e);
    return keys[k].kind->parse(r, &keys[k], value, &style, e);
}

/* What can only be judged when all keys are known. */
static int check_workloads(const struct runspec *r, struct err *e)
{
    for (int i = 0; i < r->n_workloads; i++) {
        const struct runspec_workload *w = runspec_workload(r->workloads[i]);
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

bool runspec_is_vet(const struct runspec *r)
{
    return r->n_workloads == 1 && strcmp(runspec_workload(r->workloads[0])->name, vet) == 0;
}

static int check_vet(const struct runspec *r, struct err *e)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (strcmp(runspec_workload(r->workloads[i])->name, vet) == 0 && r->n_workloads > 1)
            return err_set(e, "vet runs alone: what it says is for the script behind it");
    if (runspec_is_vet(r) != (r->spares > 0))
        return r->spares > 0
                   ? err_set(e, "spares=%d belongs to vet: 'vet,spares=%d'", r->spares, r->spares)
                   : err_set(e, "vet needs to know how many nodes to leave out; say for "
                                "example 'vet,spares=1'");
    return 0;
}

/* ---- runs of each training ---- */

static void copy_entry(struct runspec *to, int i, const struct runspec *from, int k)
{
    to->workloads[i] = from->workloads[k];
    to->epochs[i] = from->epochs[k];
    to->target[i] = from->target[k];
    to->batch[i] = from->batch[k];
    memcpy(to->model[i], from->model[k], sizeof to->model[i]);
    memcpy(to->data[i], from->data[k], sizeof to->data[i]);
    memcpy(to->checkpoint[i], from->checkpoint[k], sizeof to->checkpoint[i]);
    memcpy(to->resume[i], from->resume[k], sizeof to->resume[i]);
}

/* What the i-th entry says is not of this run any more. */
static void clear_entry(struct runspec *r, int i)
{
    static const struct runspec none;

    copy_entry(r, i, &none, 0);
}

/* Each training as often as it is to run; of a micro benchmark one run tells all. */
static int repeat_trainings(struct runspec *r, struct err *e)
{
    struct runspec one;
    int n = 0;

    if (r->runs == 1)
        return 0;
    if (r->set & (BIT(CHECKPOINT) | BIT(RESUME)))
        return err_set(e,
                       "checkpoint= and resume= are of one run of a training, and runs=%d are "
                       "several: leave one of them out",
                       r->runs);
    for (int i = 0; i < r->n_workloads; i++)
        n += runspec_workload(r->workloads[i])->ceiling ? 1 : r->runs;
    if (n > RUNSPEC_MAX_WORKLOADS)
        return err_set(e,
                       "runs=%d of these workloads are %d runs, and a record holds %d: take "
                       "fewer runs, or fewer workloads",
                       r->runs, n, RUNSPEC_MAX_WORKLOADS);
    memcpy(&one, r, sizeof one);
    r->n_workloads = 0;
    for (int i = 0; i < one.n_workloads; i++) {
        int runs = runspec_workload(one.workloads[i])->ceiling ? 1 : one.runs;
        for (int k = 0; k < runs; k++)
            copy_entry(r, r->n_workloads++, &one, i);
    }
    return 0;
}

/* As it was before: each training once. */
static void take_once(struct runspec *one, const struct runspec *r)
{
    memcpy(one, r, sizeof *one);
    one->n_workloads = 0;
    for (int i = 0; i < r->n_workloads; i++)
        if (runspec_repeat(r, i) == 0)
            copy_entry(one, one->n_workloads++, r, i);
    for (int i = one->n_workloads; i < r->n_workloads; i++)
        clear_entry(one, i);
}

const char *runspec_suite_time(const char *suite)
{
    const struct runspec_suite *s = runspec_suite_find(suite);

    return !*suite ? keys[KEY_TIME].fallback : s ? s->time : NULL;
}

/* In canonical spelling, NULL: unset. */
static const char *default_of(const struct runspec *r, int k)
{
    return k == KEY_TIME ? runspec_suite_time(r->suite) : keys[k].fallback;
}

static void set_defaults(struct runspec *r)
{
    for (int k = 0; k < KEY_COUNT; k++)
        if (default_of(r, k))
            keys[k].kind->parse(r, &keys[k], default_of(r, k), &style, NULL);
}

/* A key given with its default is as good as not given. */
static void forget_defaults(struct runspec *r)
{
    char value[RUNSPEC_MAX_BYTES * 2];

    for (int k = 0; k < KEY_COUNT; k++) {
        if (!default_of(r, k))
            continue;
        keys[k].kind->format(r, &keys[k], &style, value, sizeof value);
        if (strcmp(value, default_of(r, k)) == 0)
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
    if (parse_names(&next, &p, e))
        return -1;
    set_defaults(&next);
    while (*p == ',') {
        p++;
        if (parse_pair(&next, &p, e))
            return -1;
    }
    if (check_workloads(&next, e) || check_vet(&next, e))
        return -1;
    forget_defaults(&next);
    for (int k = 0; k < KEY_COUNT; k++)
        if (per_workload & 1u << k)
            runspec_value_share(&next, &(struct runspec_values){&keys[k], &style, &table});
    if (repeat_trainings(&next, e))
        return -1;
    memcpy(r, &next, sizeof next);
    return 0;
}

void runspec_strip(struct runspec *r)
{
    memset(r->data, 0, sizeof r->data);
    memset(r->checkpoint, 0, sizeof r->checkpoint);
    memset(r->resume, 0, sizeof r->resume);
    memset(r->out, 0, sizeof r->out);
    r->set &= ~(BIT(DATA) | BIT(CHECKPOINT) | BIT(RESUME) | BIT(OUT));
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
        if (r->suite[0] && runspec_in_suite(r->workloads[i], r->suite))
            continue;
        put(o, "%s%s", plus, runspec_workload(r->workloads[i])->name);
        plus = "+";
    }
}

/* The i-th value of a key; what belongs to a workload can have several. */
static bool value_of(const struct runspec *r, int k, int i, char *value, size_t size)
{
    if (per_workload & 1u << k)
        return runspec_value_format(r, &(struct runspec_values){&keys[k], &style, &table}, i, value,
                                    size);
    if (i == 0)
        keys[k].kind->format(r, &keys[k], &style, value, size);
    return i == 0;
}

int runspec_format(const struct runspec *r, char *buf, size_t size)
{
    char value[RUNSPEC_MAX_BYTES * 2];
    struct out o = {buf, size, 0};
    struct runspec one;

    take_once(&one, r);
    put_names(&o, &one);
    for (int k = 0; k < KEY_COUNT; k++) {
        if (!(one.set & 1u << k))
            continue;
        for (int i = 0; i <= RUNSPEC_MAX_WORKLOADS; i++) {
            if (!value_of(&one, k, i, value, sizeof value))
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

const char *runspec_profile_name(enum runspec_profile p)
{
    return profile_words[p];
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
    fprintf(f, "\nExample: %s,class=tiny,time=5m\n", runspec_suite(0)->name);
}

void runspec_list(FILE *f)
{
    const struct runspec_suite *s;
    const struct runspec_workload *w;

    fprintf(f, "Suites:\n");
    for (int i = 0; (s = runspec_suite(i)); i++)
        fprintf(f, "  %-12s %s [time=%s]\n", s->name, s->title, s->time);
    fprintf(f, "Workloads:\n");
    for (int i = 0; (w = runspec_workload(i)); i++)
        fprintf(f, "  %-12s %s (%s; in %s)\n", w->name, w->title, w->field, w->suite);
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
