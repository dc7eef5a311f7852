/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/nearest.h"

/* A decimal has at most so many digits: then digits / 10^places is the value
 * to the last bit, in any locale. */
enum { DECIMAL_DIGITS = 15, WORD_SIZE = 256 };

/* ---- fields ---- */

static void store(void *base, const struct keys_key *k, uint64_t v)
{
    unsigned char *field = (unsigned char *)base + k->offset;
    uint32_t v32 = (uint32_t)v;
    bool v1 = v != 0;

    if (k->size == sizeof v)
        memcpy(field, &v, sizeof v);
    else if (k->size == sizeof v32)
        memcpy(field, &v32, sizeof v32);
    else
        memcpy(field, &v1, sizeof v1);
}

static uint64_t load(const void *base, const struct keys_key *k)
{
    const unsigned char *field = (const unsigned char *)base + k->offset;
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

static double load_double(const void *base, const struct keys_key *k)
{
    double v;

    memcpy(&v, (const char *)base + k->offset, sizeof v);
    return v;
}

int keys_store_text(void *base, const struct keys_key *k, const char *value, struct err *e)
{
    if (strlen(value) >= k->size)
        return err_set(e, "%s is longer than %zu bytes", k->name, k->size - 1);
    strcpy((char *)base + k->offset, value);
    return 0;
}

void keys_format_text(const void *base, const struct keys_key *k, const struct keys_style *s,
                      char *text, size_t size)
{
    (void)s;
    snprintf(text, size, "%s", (const char *)base + k->offset);
}

/* ---- words ---- */

int keys_find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static int count(const char *const *words)
{
    int n = 0;

    while (words[n])
        n++;
    return n;
}

int keys_refuse(const char *what, const char *word, const char *const *known, int n,
                const char *else_see, struct err *e)
{
    const char *near = nearest(word, known, n);

    if (near)
        return err_set(e, "there is no %s '%s'; the nearest is '%s'", what, word, near);
    return err_set(e, "there is no %s '%s'; %s", what, word, else_see);
}

static int parse_word(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
{
    int i = keys_find(k->words, value);
    const char *near = i < 0 ? nearest(value, k->words, count(k->words)) : NULL;

    if (i < 0)
        return err_set(e, "there is no %s%s%s%s; the nearest is '%s%s%s'", s->before, k->name,
                       s->equals, value, k->name, s->equals, near ? near : k->fallback);
    store(base, k, (uint64_t)i);
    return 0;
}

static void format_word(const void *base, const struct keys_key *k, const struct keys_style *s,
                        char *text, size_t size)
{
    (void)s;
    snprintf(text, size, "%s", k->words[load(base, k)]);
}

const struct keys_kind keys_word = {parse_word, format_word};

/* The next word of a list, without the blanks around it; *p is behind its
 * comma, NULL after the last. */
static void next_word(const char **p, char comma, char word[WORD_SIZE])
{
    const char stops[] = {comma, '\0'};
    const char *start = *p + strspn(*p, " \t"), *end = *p + strcspn(*p, stops);

    *p = *end ? end + 1 : NULL;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    snprintf(word, WORD_SIZE, "%.*s", end > start ? (int)(end - start) : 0, start);
}

static int parse_words(void *base, const struct keys_key *k, const char *value,
                       const struct keys_style *s, struct err *e)
{
    const bool may_be_empty = k->fallback && !*k->fallback;
    const int n = count(k->words);
    char word[WORD_SIZE], what[80];
    uint64_t bits = 0;

    for (const char *p = may_be_empty && !*value ? NULL : value; p;) {
        next_word(&p, s->comma, word);
        int i = keys_find(k->words, word);
        if (i < 0 && !*word)
            return err_set(e, "%s%s%s%s has an empty word; say for example '%s%s%s%c%s'", s->before,
                           k->name, s->equals, value, k->name, s->equals, k->words[0], s->comma,
                           k->words[1]);
        snprintf(what, sizeof what, "word of %s%s", s->before, k->name);
        if (i < 0)
            return keys_refuse(what, word, k->words, n, "help shows them all", e);
        bits |= UINT64_C(1) << i;
    }
    store(base, k, bits);
    return 0;
}

static void format_words(const void *base, const struct keys_key *k, const struct keys_style *s,
                         char *text, size_t size)
{
    const char comma[] = {s->comma, '\0'};
    const uint64_t bits = load(base, k);
    size_t at = 0;

    *text = '\0';
    for (int i = 0; k->words[i] && at < size; i++)
        if (bits & UINT64_C(1) << i)
            at += (size_t)snprintf(text + at, size - at, "%s%s", at ? comma : "", k->words[i]);
}

const struct keys_kind keys_words = {parse_words, format_words};

static int parse_switch(void *base, const struct keys_key *k, const char *value,
                        const struct keys_style *s, struct err *e)
{
    bool on = strcmp(value, "yes") == 0;

    if (!on && strcmp(value, "no") != 0)
        return err_set(e, "%s%s%s%s must be yes or no", s->before, k->name, s->equals, value);
    store(base, k, on);
    return 0;
}

static void format_switch(const void *base, const struct keys_key *k, const struct keys_style *s,
                          char *text, size_t size)
{
    (void)s;
    snprintf(text, size, "%s", load(base, k) ? "yes" : "no");
}

const struct keys_kind keys_switch = {parse_switch, format_switch};

/* ---- numbers ---- */

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

static int out_of_range(const struct keys_key *k, const char *value, const struct keys_style *s,
                        const char *limit, struct err *e)
{
    return err_set(e, "%s%s%s%s is out of range; the nearest is '%s%s%s'", s->before, k->name,
                   s->equals, value, k->name, s->equals, limit);
}

static int parse_whole(void *base, const struct keys_key *k, const char *value,
                       const struct keys_style *s, struct err *e)
{
    const char *end;
    char limit[32];
    uint64_t v;
    bool fits = read_digits(value, &end, &v);

    if (end == value || *end)
        return err_set(e, "%s%s%s%s is not a whole number; it goes from %" PRIu64 " to %" PRIu64,
                       s->before, k->name, s->equals, value, k->min, k->max);
    if (!fits || v < k->min || v > k->max) {
        snprintf(limit, sizeof limit, "%" PRIu64, fits && v < k->min ? k->min : k->max);
        return out_of_range(k, value, s, limit, e);
    }
    store(base, k, v);
    return 0;
}

static void format_whole(const void *base, const struct keys_key *k, const struct keys_style *s,
                         char *text, size_t size)
{
    (void)s;
    snprintf(text, size, "%" PRIu64, load(base, k));
}

const struct keys_kind keys_whole = {parse_whole, format_whole};

static const char bytes_suffixes[] = " KMGT";

static int parse_bytes(void *base, const struct keys_key *k, const char *value,
                       const struct keys_style *s, struct err *e)
{
    const char *end;
    uint64_t v;
    bool fits = read_digits(value, &end, &v);
    const char *suffix = *end ? strchr(bytes_suffixes + 1, *end) : bytes_suffixes;

    if (end == value || !suffix || (*end && end[1]))
        return err_set(e, "%s%s%s%s is not a size; say for example %s%s16M", s->before, k->name,
                       s->equals, value, k->name, s->equals);
    int shift = 10 * (int)(suffix - bytes_suffixes);
    if (!fits || v > (UINT64_MAX >> 1) >> shift)
        return err_set(e, "%s%s%s%s is too large", s->before, k->name, s->equals, value);
    store(base, k, v << shift);
    return 0;
}

static void format_bytes(const void *base, const struct keys_key *k, const struct keys_style *s,
                         char *text, size_t size)
{
    uint64_t v = load(base, k);
    int u = 0;

    (void)s;
    for (; v && v % 1024 == 0 && bytes_suffixes[u + 1]; u++)
        v /= 1024;
    snprintf(text, size, "%" PRIu64 "%.*s", v, u > 0, &bytes_suffixes[u]);
}

const struct keys_kind keys_bytes = {parse_bytes, format_bytes};

static const struct {
    char letter;
    uint64_t seconds;
} time_units[] = {{'h', 3600}, {'m', 60}, {'s', 1}};

static void print_time(uint64_t seconds, char *text, size_t size)
{
    int u = 0;

    while (seconds % time_units[u].seconds != 0)
        u++;
    snprintf(text, size, "%" PRIu64 "%c", seconds / time_units[u].seconds, time_units[u].letter);
}

static int parse_time(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
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
            return out_of_range(k, value, s, limit, e);
        }
        double seconds = (double)(v * time_units[u].seconds);
        memcpy((char *)base + k->offset, &seconds, sizeof seconds);
        return 0;
    }
    return err_set(e,
                   "%s%s%s%s is not a time: use a whole number of s, m or h, for example '%s%s%s'",
                   s->before, k->name, s->equals, value, k->name, s->equals, k->fallback);
}

static void format_time(const void *base, const struct keys_key *k, const struct keys_style *s,
                        char *text, size_t size)
{
    (void)s;
    print_time((uint64_t)load_double(base, k), text, size);
}

const struct keys_kind keys_time = {parse_time, format_time};

static double power_of_ten(int places)
{
    double p = 1;

    while (places-- > 0)
        p *= 10;
    return p;
}

/* The canonical decimal: as few places as give the value back. */
static void print_decimal(double v, char *text, size_t size)
{
    for (int places = 0; places <= DECIMAL_DIGITS; places++) {
        uint64_t one = (uint64_t)power_of_ten(places);
        double nearby = v * power_of_ten(places) + 0.5;
        uint64_t scaled = nearby < 1e18 ? (uint64_t)nearby : 0;

        if ((double)scaled / power_of_ten(places) != v)
            continue;
        int n = snprintf(text, size, "%" PRIu64, scaled / one);
        if (places > 0 && n > 0 && (size_t)n < size)
            snprintf(text + n, size - (size_t)n, ".%0*" PRIu64, places, scaled % one);
        return;
    }
}

/* digits[.digits], at most DECIMAL_DIGITS of them. */
static int read_decimal(const struct keys_key *k, const char *value, const struct keys_style *s,
                        double *v, struct err *e)
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
        return err_set(e, "%s%s%s%s is not a number; say for example '%s%s0.5'", s->before, k->name,
                       s->equals, value, k->name, s->equals);
    if (point - value + places > DECIMAL_DIGITS)
        return err_set(e, "%s%s%s%s has more than %d digits", s->before, k->name, s->equals, value,
                       DECIMAL_DIGITS);
    *v = (double)(whole * (uint64_t)power_of_ten(places) + part) / power_of_ten(places);
    return 0;
}

static int parse_decimal(void *base, const struct keys_key *k, const char *value,
                         const struct keys_style *s, struct err *e)
{
    double least = (double)k->min / 1e6, most = (double)k->max / 1e6;
    char limit[32] = "";
    double v = 0;

    if (read_decimal(k, value, s, &v, e))
        return -1;
    if (v < least || v > most) {
        print_decimal(v < least ? least : most, limit, sizeof limit);
        return out_of_range(k, value, s, limit, e);
    }
    memcpy((char *)base + k->offset, &v, sizeof v);
    return 0;
}

static void format_decimal(const void *base, const struct keys_key *k, const struct keys_style *s,
                           char *text, size_t size)
{
    (void)s;
    print_decimal(load_double(base, k), text, size);
}

const struct keys_kind keys_decimal = {parse_decimal, format_decimal};

/* ---- paths ---- */

static bool climbs(const char *path)
{
    for (const char *p = path; (p = strstr(p, "/..")); p += 3)
        if (p[3] == '/' || p[3] == '\0')
            return true;
    return false;
}

static int check_path(const struct keys_key *k, const char *value, const struct keys_style *s,
                      struct err *e)
{
    if (value[0] != '/')
        return err_set(e, "%s%s%s%s is not an absolute path", s->before, k->name, s->equals, value);
    if (climbs(value))
        return err_set(e, "%s%s%s%s has '..' in it", s->before, k->name, s->equals, value);
    return 0;
}

static int parse_path(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *s, struct err *e)
{
    const bool may_be_empty = k->fallback && !*k->fallback;

    if ((*value || !may_be_empty) && check_path(k, value, s, e))
        return -1;
    return keys_store_text(base, k, value, e);
}

const struct keys_kind keys_path = {parse_path, keys_format_text};

static int parse_path_of(void *base, const struct keys_key *k, const char *value,
                         const struct keys_style *s, struct err *e)
{
    if (check_path(k, value, s, e))
        return -1;
    memcpy((char *)base + k->offset, &value, sizeof value);
    return 0;
}

static void format_path_of(const void *base, const struct keys_key *k, const struct keys_style *s,
                           char *text, size_t size)
{
    const char *path;

    (void)s;
    memcpy(&path, (const char *)base + k->offset, sizeof path);
    snprintf(text, size, "%s", path ? path : "");
}

const struct keys_kind keys_path_of = {parse_path_of, format_path_of};
