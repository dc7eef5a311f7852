/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever stands in a list of hosts (SLURM_NODELIST as a witness has it) and in
 * a name: nothing is read outside of either. A list that can be counted is taken
 * apart here, the long way: as many names as were counted, and each is in it,
 * while a name that nobody has is not. The input is a list, a newline, a name.
 *
 * links: spank/collect/collect_hostlist.c lib:reports/core
 */
#include <config.h>

#include "spank/collect/collect_hostlist.h"
#include "tests/fuzz.h"

enum { MOST_NAMES = 3000, NAME_SIZE = 256, MOST_DIGITS = 9 };

static const char *list;
static int names;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number as a list has it: of so many digits at least. */
static bool take_number(const char **p, unsigned long *v, int *width)
{
    char *end;

    if (!is_digit(**p))
        return false;
    *v = strtoul(*p, &end, 10);
    *width = (int)(end - *p);
    *p = end;
    return *width <= MOST_DIGITS;
}

static void expand(char name[NAME_SIZE], size_t n, const char *rest);

/* The ranges of a bracket, each number with what follows the bracket. */
static void expand_ranges(char name[NAME_SIZE], size_t n, const char *p)
{
    const char *rest = strchr(p, ']');
    unsigned long first, last;
    int width, ignored;

    while (rest && *p != ']') {
        if (!take_number(&p, &first, &width))
            return;
        last = first;
        if (*p == '-' && (p++, !take_number(&p, &last, &ignored)))
            return;
        for (; first <= last && names <= MOST_NAMES; first++) {
            int digits = snprintf(name + n, NAME_SIZE - n, "%0*lu", width, first);
            if (digits < 0 || n + (size_t)digits >= NAME_SIZE)
                return;
            expand(name, n + (size_t)digits, rest + 1);
        }
        p += *p == ',';
    }
}

/* One word of the list, from rest on, behind n characters of a name. */
static void expand(char name[NAME_SIZE], size_t n, const char *rest)
{
    while (*rest && *rest != ',' && *rest != '[') {
        if (n + 1 >= NAME_SIZE)
            return;
        name[n++] = *rest++;
    }
    if (*rest == '[') {
        expand_ranges(name, n, rest + 1);
        return;
    }
    name[n] = '\0';
    names++;
    must(hostlist_has(list, name), "a name of the list is in the list");
    name[n] = '\x7f';
    name[n + 1] = '\0';
    must(!hostlist_has(list, name), "a name that nobody has is not");
}

static const char *word_end(const char *p)
{
    for (int depth = 0; *p && (depth || *p != ','); p++)
        depth = *p == '[' ? 1 : *p == ']' ? 0 : depth;
    return p;
}

/* The digits at p; 0: none, or more than a name's number may have. */
static size_t digits_of(const char *p)
{
    size_t n = strspn(p, "0123456789");

    return n <= MOST_DIGITS ? n : 0;
}

/* Whether "1-4,07]" are numbers; *at moves behind the bracket. */
static bool are_ranges(const char **at)
{
    const char *p = *at;

    for (;; p++) {
        size_t n = digits_of(p), last = n && p[n] == '-' ? digits_of(p + n + 1) : n;
        if (n == 0 || last == 0)
            return false;
        p += p[n] == '-' ? n + 1 + last : n;
        if (*p == ']')
            break;
        if (*p != ',')
            return false;
    }
    *at = p + 1;
    return true;
}

/* Letters, digits, and brackets with numbers: what Slurm writes. */
static bool is_plain(const char *text)
{
    while (*text) {
        if (*text == '[') {
            text++;
            if (!are_ranges(&text))
                return false;
        } else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.,", *text++)) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size < 200 ? size : 200, true), *name = strchr(text, '\n');
    char buffer[NAME_SIZE];

    if (name)
        *name++ = '\0';
    list = text;
    if (name && strlen(name) < 64)
        hostlist_has(list, name);
    int counted = hostlist_count(list, MOST_NAMES);
    must(counted == -1 || (counted >= 1 && counted <= MOST_NAMES), "a count is within its bound");
    names = 0;
    if (counted > 0 && is_plain(list)) {
        for (const char *p = list, *end; *p; p = end + (*end == ',')) {
            end = word_end(p);
            expand(buffer, 0, p);
        }
        must(names == counted, "as many names as were counted");
    }
    free(text);
    return 0;
}
