/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of a page, in two languages: words.def, one row a sentence.
 *
 *     say(&p, W_WAITS, T("hep"), N(41.2));      "{1:pct} of {0} is waiting"
 *
 * A place is {ARGUMENT} or {ARGUMENT:FORM}, since the order differs between
 * languages; a form writes a number as its language does. Whole sentences
 * only: nothing is glued from parts. `*` in a row begins and ends strong text
 * where the pen writes HTML and is nothing elsewhere. What the row says and
 * what goes into its places is escaped; a text argument is data: cleaned and
 * cut to HTML_MOST characters.
 *
 * Forms (a number that is not finite is an en dash):
 *     n      1,024           n1, n2   with so many decimals     g   three digits
 *     x      a factor in two digits: 0.97, 1.2, 120
 *     pct    22 % / 22%      pct1     one decimal     pct2   two digits
 *     dur    2 h 46 min / 2時間46分; 12.3 s; 45 ms
 *     flops  12.9 GFLOP/s    flop, bytes, bps (B/s), joule, watt, hertz: the same
 *     money  ¥2.6 M / 260万円, rounded alike in both; the pen has the currency
 *     day    a time's seconds since 1970: 27 Nov 2026 / 2026年11月27日
 *     minute the same with hours and minutes, UTC
 *     all    a text, not cut (a sentence of the record)
 *
 * Life:    a pen is plain data that borrows its stream.
 * Failure: none; what the stream could not take is seen at its end.
 * Threads: none inside.
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reports/diagnose/words.h"

enum word {
#define W(key, en, ja) W_##key,
#include "reports/report/words.def"
    WORD_COUNT
};

struct pen {
    FILE *f;
    enum language lang;
    bool plain;           /* text for something else: not escaped, no markup */
    const char *currency; /* ISO 4217, of the price file; NULL: none */
};

struct arg {
    const char *text; /* NULL: the number */
    double number;
};
#define T(text_)                                                                                   \
    (struct arg)                                                                                   \
    {                                                                                              \
        .text = (text_)                                                                            \
    }
#define N(number_)                                                                                 \
    (struct arg)                                                                                   \
    {                                                                                              \
        .number = (number_)                                                                        \
    }

void say_args(const struct pen *p, enum word w, const struct arg *args, int n);
#define say(p, w, ...)                                                                             \
    say_args(p, w, (const struct arg[]){T(""), ##__VA_ARGS__} + 1,                                 \
             (int)(sizeof((const struct arg[]){T(""), ##__VA_ARGS__}) / sizeof(struct arg)) - 1)

/* The same into a text, unescaped. */
enum { SAID_SIZE = 768 };
struct said {
    char text[SAID_SIZE];
};
struct said said_args(const struct pen *p, enum word w, const struct arg *args, int n);
#define said(p, w, ...)                                                                            \
    said_args(p, w, (const struct arg[]){T(""), ##__VA_ARGS__} + 1,                                \
              (int)(sizeof((const struct arg[]){T(""), ##__VA_ARGS__}) / sizeof(struct arg)) - 1)

/* One argument in a form, without a row: numbers of a table. */
void say_value(const struct pen *p, struct arg a, const char *form);

/* The same into a text, unescaped. */
void said_value(const struct pen *p, char *text, size_t size, struct arg a, const char *form);

/* The row as it stands, for tests. */
const char *word_text(enum word w, enum language l);
const char *word_key(enum word w);

#endif
