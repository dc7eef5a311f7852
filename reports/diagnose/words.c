/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/diagnose/words.h"

#include <stdbool.h>
#include <string.h>

#include "reports/core/utf8.h"

static const struct {
    const char *name;
    enum cause_family family;
    const char *said[2], *next[2]; /* by enum language */
} causes[] = {
#define CAUSE(symbol, name, family, said, next, said_ja, next_ja)                                  \
    {#name, FAMILY_##family, {said, said_ja}, {next, next_ja}},
#include "reports/diagnose/causes.def"
};

const char *cause_name(enum cause c)
{
    return causes[c].name;
}

int cause_find(const char *name)
{
    for (int i = 0; i < CAUSE_COUNT; i++)
        if (strcmp(causes[i].name, name) == 0)
            return i;
    return -1;
}

enum cause_family cause_family(enum cause c)
{
    return causes[c].family;
}

/* Appends n bytes; what does not fit is left out, never half a character. */
static size_t put(char *text, size_t size, size_t at, const char *s, size_t n)
{
    const size_t room = size - at - 1;

    memcpy(text + at, s, n < room ? n : room);
    at += n < room ? n : room;
    return n > room ? utf8_check(text, at) : at;
}

void cause_said(enum cause c, const char *node, enum language l, char *text, size_t size)
{
    const bool named = node && *node;
    enum { OUTSIDE, NAMED, UNNAMED } in = OUTSIDE;
    size_t at = 0;

    for (const char *s = causes[c].said[l]; *s; s++) {
        if (*s == '[')
            in = NAMED;
        else if (*s == ']')
            in = OUTSIDE;
        else if (*s == '|')
            in = UNNAMED;
        else if ((in == NAMED && !named) || (in == UNNAMED && named))
            continue;
        else if (in == NAMED && *s == '%')
            at = put(text, size, at, node, strlen(node));
        else
            at = put(text, size, at, s, 1);
    }
    text[utf8_check(text, at)] = '\0';
}

const char *cause_next(enum cause c, enum language l)
{
    return causes[c].next[l];
}
