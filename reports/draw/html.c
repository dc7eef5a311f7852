/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/draw/html.h"

#include <stdint.h>
#include <string.h>

#include "reports/core/utf8.h"
#include "reports/draw/xml.h"

static const char replacement[] = "\xef\xbf\xbd", ellipsis[] = "\xe2\x80\xa6";

/* The next character that stays, at most 4 bytes and a NUL; returns how many
 * bytes of text it took, 0 at the end. An empty `out`: it goes. */
static size_t next(const char *text, char out[8])
{
    uint32_t c = 0;
    size_t left = strlen(text);

    out[0] = '\0';
    if (left == 0)
        return 0;
    int n = utf8_decode((const unsigned char *)text, left, &c);
    if (n <= 0) {
        strcpy(out, replacement);
        return 1;
    }
    if (!utf8_steers(c))
        snprintf(out, 8, "%.*s", n, text);
    return (size_t)n;
}

/* Characters that stay, counted up to most + 1. */
static int count(const char *text, int most)
{
    char one[8];
    int n = 0;

    for (size_t took; n <= most && (took = next(text, one)); text += took)
        n += one[0] != '\0';
    return n;
}

void html_text(FILE *f, const char *text, int most)
{
    int room = most > 0 && count(text, most) > most ? most - 1 : -1;
    char one[8];

    for (size_t took; (took = next(text, one)); text += took) {
        if (!one[0])
            continue;
        if (room == 0) {
            fputs(ellipsis, f);
            return;
        }
        xml_text(f, one);
        room -= room > 0;
    }
}

void html_clean(char *out, size_t size, const char *text, int most)
{
    int room = most > 0 && count(text, most) > most ? most - 1 : -1;
    size_t used = 0;
    char one[8];

    out[0] = '\0';
    for (size_t took; (took = next(text, one)); text += took) {
        const char *piece = room == 0 ? ellipsis : one;
        if (used + strlen(piece) + 1 > size)
            return;
        strcpy(out + used, piece);
        used += strlen(piece);
        if (room == 0)
            return;
        room -= room > 0 && one[0];
    }
}
