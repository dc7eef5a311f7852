/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/text.h"

enum { PLACES = 3 };

static const char *const rows[][LANGUAGE_COUNT] = {
#define REFUSAL(en, ja) {en, ja},
#include "reports/report/refusals.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

/* What stands in a place of a sentence. */
struct part {
    const char *at;
    int size;
};

static bool is_place(const char *form)
{
    return form[0] == '{' && form[1] >= '0' && form[1] < '0' + PLACES && form[2] == '}';
}

/* Whether the sentence was made of the row; fills part[]. A place ends where the words
 * behind it begin. */
static bool is_made_of(const char *text, const char *form, struct part part[PLACES])
{
    while (*form) {
        if (!is_place(form)) {
            if (*text++ != *form++)
                return false;
            continue;
        }
        struct part *p = &part[form[1] - '0'];
        form += 3;
        const size_t words = strcspn(form, "{");
        char behind[SAID_SIZE];
        snprintf(behind, sizeof behind, "%.*s", (int)words, form);
        const char *end = words ? strstr(text, behind) : text + strlen(text);
        if (!end || end == text)
            return false;
        *p = (struct part){text, (int)(end - text)};
        text = end;
    }
    return !*text;
}

struct said refusal_said(const char *why, enum language l)
{
    struct part part[PLACES] = {{"", 0}};
    struct said s = {""};
    int row = 0;

    while (row < ROWS && !is_made_of(why, rows[row][LANGUAGE_EN], part))
        row++;
    if (row == ROWS || l == LANGUAGE_EN) {
        text_add(s.text, sizeof s.text, "%s", why);
        return s;
    }
    for (const char *at = rows[row][l]; *at;) {
        if (is_place(at)) {
            text_add(s.text, sizeof s.text, "%.*s", part[at[1] - '0'].size, part[at[1] - '0'].at);
            at += 3;
        } else {
            const size_t words = strcspn(at, "{");
            text_add(s.text, sizeof s.text, "%.*s", (int)words, at);
            at += words;
        }
    }
    return s;
}

const char *refusal_text(int i, enum language l)
{
    return i >= 0 && i < ROWS ? rows[i][l] : NULL;
}
