/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_hostlist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the n characters are a number in "1-4,07"; a range of padded
 * numbers has its width. */
static bool in_ranges(const char *at, const char *end, const char *name, size_t n)
{
    char *stop;
    unsigned long value = 0;

    for (size_t i = 0; i < n; i++)
        value = 10 * value + (unsigned long)(name[i] - '0');
    while (at < end) {
        const char *low = at, *dash;
        unsigned long first = strtoul(low, &stop, 10), last = first;
        if (stop == low || stop > end)
            return false;
        dash = stop;
        size_t width = (size_t)(dash - low);
        if (*stop == '-') {
            last = strtoul(dash + 1, &stop, 10);
            if (stop == dash + 1 || stop > end)
                return false;
        }
        bool wide = n == width || (n > width && *name != '0');
        if (wide && value >= first && value <= last)
            return true;
        at = stop + (*stop == ',');
        if (at == stop && at < end)
            return false;
    }
    return false;
}

/* Whether one word of a host list, up to end, names the node. */
static bool word_has(const char *at, const char *end, const char *name)
{
    while (at < end && *at != '[') {
        if (*at++ != *name++)
            return false;
    }
    if (at == end)
        return *name == '\0';
    const char *close = memchr(at, ']', (size_t)(end - at));
    if (!close)
        return false;
    /* How many digits belong here cannot be told before what follows fits. */
    for (size_t n = 1; n <= 9 && isdigit((unsigned char)name[n - 1]); n++)
        if (in_ranges(at + 1, close, name, n) && word_has(close + 1, end, name + n))
            return true;
    return false;
}

/* End of the word at text: a comma that is in no bracket. */
static const char *word_end(const char *text)
{
    bool inside = false;

    for (; *text && (inside || *text != ','); text++)
        inside = *text == '[' || (inside && *text != ']');
    return text;
}

bool hostlist_has(const char *list, const char *name)
{
    while (*list) {
        const char *end = word_end(list);
        if (end > list && word_has(list, end, name))
            return true;
        list = end + (*end == ',');
    }
    return false;
}

/* Numbers in "1-4,07]"; *at moves behind the bracket. 0: none. */
static double count_ranges(const char **at)
{
    const char *p = *at;
    double n = 0;

    while (*p && *p != ']') {
        char *stop;
        unsigned long first = strtoul(p, &stop, 10), last = first;
        if (stop == p)
            return 0;
        if (*stop == '-')
            last = strtoul(p = stop + 1, &stop, 10);
        if (stop == p || last < first || (*stop != ',' && *stop != ']'))
            return 0;
        n += (double)(last - first) + 1;
        p = stop + (*stop == ',');
    }
    if (*p != ']')
        return 0;
    *at = p + 1;
    return n;
}

int hostlist_count(const char *list, int most)
{
    double total = 0;

    while (*list) {
        const char *end = word_end(list), *p = list;
        double n = end > list ? 1 : 0;
        while (p < end) {
            if (*p++ == '[')
                n *= count_ranges(&p);
        }
        if (n < 1 || (total += n) > most)
            return -1;
        list = end + (*end == ',');
    }
    return total > 0 ? (int)total : -1;
}

/* ---- expanding ---- */

struct expansion {
    void (*fn)(void *ctx, const char *name);
    void *ctx;
    char name[HOSTLIST_NAME_SIZE];
};

/* The names of one word from `at` on, the first n characters of which stand in
 * x->name. The word is good: hostlist_count() has read it. */
static void expand_word(struct expansion *x, size_t n, const char *at, const char *end)
{
    while (at < end && *at != '[' && n + 1 < sizeof x->name)
        x->name[n++] = *at++;
    if (at >= end || *at != '[') {
        x->name[n] = '\0';
        x->fn(x->ctx, x->name);
        return;
    }
    const char *close = memchr(at, ']', (size_t)(end - at));
    for (at++; close && at < close; at++) {
        char *stop;
        const char *low = at;
        unsigned long first = strtoul(low, &stop, 10), last = first;
        int width = (int)(stop - low);
        if (*stop == '-')
            last = strtoul(stop + 1, &stop, 10);
        for (unsigned long v = first; v <= last; v++) {
            int k = snprintf(x->name + n, sizeof x->name - n, "%0*lu", width, v);
            if (n + (size_t)k < sizeof x->name)
                expand_word(x, n + (size_t)k, close + 1, end);
        }
        at = stop;
    }
}

int hostlist_each(const char *list, int most, void (*fn)(void *ctx, const char *name), void *ctx)
{
    struct expansion x = {.fn = fn, .ctx = ctx};
    int n = hostlist_count(list, most);

    for (const char *end; n > 0 && *list; list = end + (*end == ',')) {
        end = word_end(list);
        expand_word(&x, 0, list, end);
    }
    return n;
}
