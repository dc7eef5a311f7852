/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/runspec.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/core/nearest.h"
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
_Static_assert(sizeof class_words / sizeof *class_words == CLASS_COUNT + 1, "a word per class");
_Static_assert(sizeof dtype_words / sizeof *dtype_words == DTYPE_COUNT + 1, "a word per dtype");
_Static_assert(sizeof engine_words / sizeof *engine_words == ENGINE_COUNT + 1, "a word per engine");
_Static_assert(sizeof division_words / sizeof *division_words == DIVISION_COUNT + 1,
               "a word per division");

struct key;

/* What a value looks like. value() writes the i-th canonical value of the key
 * and returns whether there is one; `data` alone can have several. */
struct kind {
    int (*parse)(struct runspec *r, const struct key *k, const char *value, struct err *e);
    bool (*value)(const struct runspec *r, const struct key *k, int i, char *buf, size_t size);
};

static int parse_word(struct runspec *, const struct key *, const char *, struct err *);
static int parse_whole(struct runspec *, const struct key *, const char *, struct err *);
static int parse_decimal(struct runspec *, const struct key *, const char *, struct err *);
static int parse_time(struct runspec *, const struct key *, const char *, struct err *);
static int parse_path(struct runspec *, const struct key *, const char *, struct err *);
static int parse_data(struct runspec *, const struct key *, const char *, struct err *);
static int parse_words(struct runspec *, const struct key *, const char *, struct err *);
static bool value_word(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_whole(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_decimal(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_time(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_path(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_data(const struct runspec *, const struct key *, int, char *, size_t);
static bool value_words(const struct runspec *, const struct key *, int, char *, size_t);

static const struct kind a_word = {parse_word, value_word};
static const struct kind a_whole = {parse_whole, value_whole};
static const struct kind a_decimal = {parse_decimal, value_decimal};
static const struct kind a_time = {parse_time, value_time};
static const struct kind a_path = {parse_path, value_path};
static const struct kind some_data = {parse_data, value_data};
static const struct kind some_words = {parse_words, value_words};

/* A decimal has at most so many digits: then digits / 10^places is the value
 * to the last bit, in any locale. */
enum { DECIMAL_DIGITS = 15 };

struct key {
    const char *name;
    const struct kind *kind;
    size_t offset, size;      /* of the field in struct runspec */
    const char *fallback;     /* when not said, in canonical spelling; NULL: unset */
    const char *const *words; /* a_word */
    uint64_t min, max;        /* a_whole; a_time in seconds; a_decimal in millionths */
    const char *shape;        /* of the value, for the help; NULL: the words */
    const char *help;
};

#define FIELD(member) offsetof(struct runspec, member), sizeof((struct runspec *)0)->member

static const struct key keys[KEY_COUNT] = {
    [KEY_CLASS] = {"class", &a_word, FIELD(class), "auto", class_words, 0, 0, NULL,
                   "size of the problem; auto: the largest that fits memory and time"},
    [KEY_DTYPE] = {"dtype", &a_word, FIELD(dtype), "f32", dtype_words, 0, 0, NULL,
                   "arithmetic of the training"},
    [KEY_DATA] = {"data", &some_data, FIELD(data), NULL, NULL, 0, 0, "[WORKLOAD:]FOLDER",
                  "data to train on, per workload when several run; else generated"},
    [KEY_EPOCHS] = {"epochs", &a_whole, FIELD(epochs), NULL, NULL, 1, 100000, "N",
                    "at most so many epochs; else the class's own limit"},
    [KEY_TARGET] = {"target", &a_decimal, FIELD(target), NULL, NULL, 1, 1000000000000, "X",
                    "quality to reach; else the class's own"},
    [KEY_TIME] = {"time", &a_time, FIELD(time_seconds), "10m", NULL, 1, 720 * 3600, "N(s|m|h)",
                  "for the whole run"},
    [KEY_SEED] = {"seed", &a_whole, FIELD(seed), "1", NULL, 0, UINT64_MAX, "N",
                  "of every random number"},
    [KEY_BATCH] = {"batch", &a_whole, FIELD(batch), NULL, NULL, 1, 1 << 24, "N",
                   "samples per step over all ranks; else the class's own"},
    [KEY_THREADS] = {"threads", &a_whole, FIELD(threads), NULL, NULL, 1, 4096, "N",
                     "per rank; else all that the rank may use"},
    [KEY_ENGINE] = {"engine", &a_word, FIELD(engine), "auto", engine_words, 0, 0, NULL,
                    "back end that computes"},
    [KEY_OUT] = {"out", &a_path, FIELD(out), NULL, NULL, 0, 0, "FOLDER|NAME.json|none",
                 "where the record goes; else the site's spool and a copy in the working folder"},
    [KEY_GATE] = {"gate", &a_word, FIELD(gate), "no", yesno_words, 0, 0, NULL,
                  "yes: a failed or invalid run stops the command after it"},
    [KEY_DIVISION] = {"division", &a_word, FIELD(division), "closed", division_words, 0, 0, NULL,
                      "rules that the run follows; see the record"},
    [KEY_REDACT] = {"redact", &some_words, FIELD(redact), NULL, NULL, 0, 0, "WORD[+WORD]...",
                    "what archive and exports hide, beside what the site does: user, account, "
                    "host, path, job_name, job, cluster, partition, data, time"},
    [KEY_CONFIDENTIAL] = {"confidential", &a_word, FIELD(confidential), "no", yesno_words, 0, 0,
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
    const char *near = nearest(word, known, n);

    if (near)
        return err_set(e, "there is no %s '%s'; the nearest is '%s'", what, word, near);
    return err_set(e, "there is no %s '%s'; 'help' shows them all", what, word);
}

static int add_workload(struct runspec *r, int workload, struct err *e)
{
    for (int i = 0; i < r->n_workloads; i++)
        if (r->workloads[i] == workload)
            return err_set(e, "'%s' is said twice%s%s", workloads[workload].name,
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
        return err_set(e, "the run text says no suite or workload; say for example '%s'",
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
        return err_set(e, "'%s' is said twice", name);
    r->set |= 1u << k;
    if (take_value(p, name, value, e))
        return -1;
    return keys[k].kind->parse(r, &keys[k], value, e);
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
        return err_set(e, "%s does not know dtype=%s; the nearest is 'dtype=%s'", w->name,
                       dtype_words[r->dtype], dtype_words[other]);
    }
    return 0;
}

/* A key said with its default is as good as not said. */
static void forget_defaults(struct runspec *r)
{
    char value[RUNSPEC_MAX_BYTES * 2];

    for (int k = 0; k < KEY_COUNT; k++)
        if (keys[k].fallback && keys[k].kind->value(r, &keys[k], 0, value, sizeof value) &&
            strcmp(value, keys[k].fallback) == 0)
            r->set &= ~(1u << k);
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
            keys[k].kind->parse(&next, &keys[k], keys[k].fallback, NULL);
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

/* ---- kinds of value: fields of 1, 4 or 8 bytes hold whole numbers ---- */

static void store(struct runspec *r, const struct key *k, uint64_t v)
{
    unsigned char *field = (unsigned char *)r + k->offset;
    uint32_t v32 = (uint32_t)v;
    bool v1 = v != 0;

    if (k->size == sizeof v)
        memcpy(field, &v, sizeof v);
    else if (k->size == sizeof v32)
        memcpy(field, &v32, sizeof v32);
    else
        memcpy(field, &v1, sizeof v1);
}

static uint64_t load(const struct runspec *r, const struct key *k)
{
    const unsigned char *field = (const unsigned char *)r + k->offset;
    uint64_t v = 0;
    uint32_t v32 = 0;
    bool v1 = false;

    if (k->size == sizeof v)
        memcpy(&v, field, sizeof v);
    else if (k->size == sizeof v32)
        memcpy(&v32, field, sizeof v32);
    else
        memcpy(&v1, field, sizeof v1);
    return v | v32 | v1;
}

static int parse_word(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    int n = 0;

    for (; k->words[n]; n++)
        if (strcmp(k->words[n], value) == 0) {
            store(r, k, (uint64_t)n);
            return 0;
        }
    const char *near = nearest(value, k->words, n);
    if (!near)
        near = k->fallback;
    return err_set(e, "there is no %s=%s; the nearest is '%s=%s'", k->name, value, k->name, near);
}

static bool value_word(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    snprintf(buf, size, "%s", k->words[load(r, k)]);
    return i == 0;
}

/* Reads a number; *end is what follows its digits. False when it is larger
 * than any field. */
static bool read_digits(const char *s, const char **end, uint64_t *v)
{
    bool fits = true;

    for (*v = 0; *s >= '0' && *s <= '9'; s++) {
        unsigned d = (unsigned)(*s - '0');
        fits = fits && *v <= (UINT64_MAX - d) / 10;
        *v = *v * 10 + d;
    }
    *end = s;
    return fits;
}

static int parse_whole(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    const char *end;
    uint64_t v;
    bool fits = read_digits(value, &end, &v);

    if (end == value || *end)
        return err_set(e, "%s=%s is not a whole number; it goes from %" PRIu64 " to %" PRIu64,
                       k->name, value, k->min, k->max);
    if (!fits || v < k->min || v > k->max)
        return err_set(e, "%s=%s is out of range; the nearest is '%s=%" PRIu64 "'", k->name, value,
                       k->name, fits && v < k->min ? k->min : k->max);
    store(r, k, v);
    return 0;
}

static bool value_whole(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    snprintf(buf, size, "%" PRIu64, load(r, k));
    return i == 0;
}

static const struct {
    char letter;
    uint64_t seconds;
} time_units[] = {{'h', 3600}, {'m', 60}, {'s', 1}};

static void print_time(uint64_t seconds, char *buf, size_t size)
{
    int u = 0;

    while (seconds % time_units[u].seconds != 0)
        u++;
    snprintf(buf, size, "%" PRIu64 "%c", seconds / time_units[u].seconds, time_units[u].letter);
}

static int parse_time(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    const char *end;
    char limit[32];
    uint64_t v;
    bool fits = read_digits(value, &end, &v);

    for (size_t u = 0; u < sizeof time_units / sizeof *time_units; u++) {
        if (end == value || *end != time_units[u].letter || end[1])
            continue;
        if (!fits || v < k->min || v > k->max / time_units[u].seconds) {
            print_time(fits && v < k->min ? k->min : k->max, limit, sizeof limit);
            return err_set(e, "%s=%s is out of range; the nearest is '%s=%s'", k->name, value,
                           k->name, limit);
        }
        double seconds = (double)(v * time_units[u].seconds);
        memcpy((char *)r + k->offset, &seconds, sizeof seconds);
        return 0;
    }
    return err_set(e, "%s=%s is not a time: say a whole number of s, m or h, for example '%s=%s'",
                   k->name, value, k->name, k->fallback);
}

static double field_double(const struct runspec *r, const struct key *k)
{
    double v;

    memcpy(&v, (const char *)r + k->offset, sizeof v);
    return v;
}

static bool value_time(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    print_time((uint64_t)field_double(r, k), buf, size);
    return i == 0;
}

static double power_of_ten(int places)
{
    double p = 1;

    while (places-- > 0)
        p *= 10;
    return p;
}

/* The canonical decimal: as few places as give the value back. */
static void print_decimal(double v, char *buf, size_t size)
{
    for (int places = 0; places <= DECIMAL_DIGITS; places++) {
        uint64_t one = (uint64_t)power_of_ten(places);
        double nearby = v * power_of_ten(places) + 0.5;
        uint64_t scaled = nearby < 1e18 ? (uint64_t)nearby : 0;

        if ((double)scaled / power_of_ten(places) != v)
            continue;
        int n = snprintf(buf, size, "%" PRIu64, scaled / one);
        if (places > 0 && n > 0 && (size_t)n < size)
            snprintf(buf + n, size - (size_t)n, ".%0*" PRIu64, places, scaled % one);
        return;
    }
}

/* digits[.digits], at most DECIMAL_DIGITS of them. */
static int read_decimal(const char *value, const char *key, double *v, struct err *e)
{
    const char *point, *start, *end;
    uint64_t whole, part = 0;

    read_digits(value, &point, &whole);
    start = end = point;
    if (*point == '.') {
        start = point + 1;
        read_digits(start, &end, &part);
    }
    int places = (int)(end - start);
    if (point == value || *end || (*point && places == 0))
        return err_set(e, "%s=%s is not a number; say for example '%s=0.5'", key, value, key);
    if (point - value + places > DECIMAL_DIGITS)
        return err_set(e, "%s=%s has more than %d digits", key, value, DECIMAL_DIGITS);
    *v = (double)(whole * (uint64_t)power_of_ten(places) + part) / power_of_ten(places);
    return 0;
}

static int parse_decimal(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    double least = (double)k->min / 1e6, most = (double)k->max / 1e6;
    char limit[32] = "";
    double v = 0;

    if (read_decimal(value, k->name, &v, e))
        return -1;
    if (v < least || v > most) {
        print_decimal(v < least ? least : most, limit, sizeof limit);
        return err_set(e, "%s=%s is out of range; the nearest is '%s=%s'", k->name, value, k->name,
                       limit);
    }
    memcpy((char *)r + k->offset, &v, sizeof v);
    return 0;
}

static bool value_decimal(const struct runspec *r, const struct key *k, int i, char *buf,
                          size_t size)
{
    print_decimal(field_double(r, k), buf, size);
    return i == 0;
}

static int parse_path(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    if (!*value)
        return err_set(e, "%s= says no folder", k->name);
    snprintf((char *)r + k->offset, k->size, "%s", value);
    return 0;
}

static bool value_path(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    snprintf(buf, size, "%s", (const char *)r + k->offset);
    return i == 0;
}

/* WORD[+WORD]..., a bit each: the words of the site's own `redact`. */
static int parse_words(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    const char *known[REDACT_COUNT];
    char word[RUNSPEC_MAX_BYTES + 1];
    uint64_t bits = 0;

    for (int i = 0; i < REDACT_COUNT; i++)
        known[i] = conf_redact_word(i);
    for (const char *p = value;; p++) {
        int i = 0;

        take(&p, "+", word);
        while (i < REDACT_COUNT && strcmp(known[i], word) != 0)
            i++;
        if (i == REDACT_COUNT && !*word)
            return err_set(e, "%s= says no word; say for example '%s=%s+%s'", k->name, k->name,
                           known[0], known[1]);
        if (i == REDACT_COUNT)
            return refuse(e, "word of redact=", word, known, REDACT_COUNT);
        bits |= 1u << i;
        if (!*p)
            break;
    }
    store(r, k, bits);
    return 0;
}

static bool value_words(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    const uint64_t bits = load(r, k);
    size_t at = 0;

    *buf = '\0';
    for (int b = 0; b < REDACT_COUNT && at < size; b++)
        if (bits & 1u << b)
            at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "+" : "", conf_redact_word(b));
    return i == 0;
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
static int parse_data(struct runspec *r, const struct key *k, const char *value, struct err *e)
{
    const char *known[RUNSPEC_MAX_WORKLOADS];
    const char *folder = value;
    char name[RUNSPEC_MAX_BYTES + 1];
    int owner = 0;

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
        return err_set(e, "%s=%s says no folder", k->name, value);
    if (r->data[owner][0])
        return err_set(e, "'%s' of %s is said twice", k->name, known[owner]);
    snprintf(r->data[owner], sizeof r->data[owner], "%s", folder);
    return 0;
}

static bool value_data(const struct runspec *r, const struct key *k, int i, char *buf, size_t size)
{
    char head[RUNSPEC_MAX_BYTES + 1];
    const char *rest;

    (void)k;
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

int runspec_format(const struct runspec *r, char *buf, size_t size)
{
    char value[RUNSPEC_MAX_BYTES * 2];
    struct out o = {buf, size, 0};

    put_names(&o, r);
    for (int k = 0; k < KEY_COUNT; k++) {
        if (!(r->set & 1u << k))
            continue;
        for (int i = 0; i < RUNSPEC_MAX_WORKLOADS; i++) {
            if (!keys[k].kind->value(r, &keys[k], i, value, sizeof value))
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

static void help_key(const struct key *k, FILE *f)
{
    char shape[80];
    struct out o = {shape, sizeof shape, 0};

    put(&o, "%s=%s", k->name, k->shape ? k->shape : "");
    for (const char *const *w = k->words; w && *w; w++)
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
