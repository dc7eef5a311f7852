/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/words.h"

#include <math.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/report/format.h"

static const struct {
    const char *key, *text[LANGUAGE_COUNT];
} rows[WORD_COUNT] = {
#define W(key, en, ja) [W_##key] = {#key, {en, ja}},
#include "reports/report/words.def"
};

const char *word_text(enum word w, enum language l)
{
    return rows[w].text[l];
}

const char *word_key(enum word w)
{
    return rows[w].key;
}

static void put(const struct pen *p, const char *text, int most)
{
    char clean[SAID_SIZE];

    if (!p->plain) {
        html_text(p->f, text, most);
        return;
    }
    html_clean(clean, sizeof clean, text, most);
    fputs(clean, p->f);
}

void say_value(const struct pen *p, struct arg a, const char *form)
{
    char text[FORMAT_SIZE];

    if (a.text) {
        put(p, a.text, strcmp(form, "all") == 0 ? 0 : HTML_MOST);
        return;
    }
    format_number(text, a.number, form, p->lang, p->currency);
    put(p, text, 0);
}

void said_value(const struct pen *p, char *text, size_t size, struct arg a, const char *form)
{
    char number[FORMAT_SIZE];

    if (!a.text)
        format_number(number, a.number, form, p->lang, p->currency);
    html_clean(text, size, a.text ? a.text : number, HTML_MOST);
}

/* "{1:pct}" at text: writes the argument and returns what is behind it. */
static const char *place(const struct pen *p, const char *text, const struct arg *args, int n)
{
    const char *end = strchr(text, '}');
    int i = text[1] - '0';
    char form[16] = "";

    if (!end || i < 0 || i >= n) /* the table's test has no such row */
        return end ? end + 1 : text + strlen(text);
    if (text[2] == ':')
        snprintf(form, sizeof form, "%.*s", (int)(end - text - 3), text + 3);
    say_value(p, args[i], form);
    return end + 1;
}

void say_args(const struct pen *p, enum word w, const struct arg *args, int n)
{
    const char *at = rows[w].text[p->lang];
    bool strong = false;
    char piece[SAID_SIZE];

    while (*at) {
        if (*at == '{') {
            at = place(p, at, args, n);
        } else if (*at == '*') {
            strong = !strong;
            if (!p->plain)
                fputs(strong ? "<b>" : "</b>", p->f);
            at++;
        } else {
            size_t length = strcspn(at, "{*");
            snprintf(piece, sizeof piece, "%.*s", (int)length, at);
            put(p, piece, 0);
            at += length;
        }
    }
}

struct said said_args(const struct pen *p, enum word w, const struct arg *args, int n)
{
    struct said s = {""};
    struct pen plain = *p;

    plain.plain = true;
    plain.f = fmemopen(s.text, sizeof s.text - 1, "w");
    if (!plain.f)
        return s;
    say_args(&plain, w, args, n);
    fclose(plain.f);
    return s;
}
