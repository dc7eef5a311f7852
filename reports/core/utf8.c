/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/utf8.h"

#include <string.h>

int utf8_length(const unsigned char *p, size_t n)
{
    /* Lead byte range, bytes, and range of the second byte (RFC 3629, 4). */
    static const struct {
        unsigned char lead_from, lead_to, bytes, second_from, second_to;
    } table[] = {
        {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
    };

    for (size_t i = 0; n && i < sizeof table / sizeof *table; i++) {
        if (*p < table[i].lead_from || *p > table[i].lead_to)
            continue;
        if (table[i].bytes > n)
            return 0;
        if (table[i].bytes > 1 && (p[1] < table[i].second_from || p[1] > table[i].second_to))
            return 0;
        for (int k = 2; k < table[i].bytes; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return table[i].bytes;
    }
    return 0;
}

size_t utf8_check(const char *text, size_t n)
{
    size_t at = 0;

    while (at < n) {
        int length = utf8_length((const unsigned char *)text + at, n - at);
        if (!length)
            break;
        at += (size_t)length;
    }
    return at;
}

int utf8_decode(const unsigned char *p, size_t n, uint32_t *c)
{
    int length = utf8_length(p, n);

    *c = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));
    for (int i = 1; i < length; i++)
        *c = *c << 6 | (p[i] & 0x3f);
    return length;
}

/* Unicode 15: Cc, Cf but the marks of scripts that show, Zl, Zp, the fillers of
 * Hangul and what is not a character. Sorted. */
static const struct {
    uint32_t first, last;
} steering[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       /* soft hyphen */
    {0x034f, 0x034f},                                           /* grapheme joiner */
    {0x061c, 0x061c},                                           /* Arabic letter mark */
    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   /* fillers, Mongolian */
    {0x200b, 0x200f},                                           /* no room, joiners, marks */
    {0x2028, 0x202e},                                           /* separators, overrides */
    {0x2060, 0x206f},                                           /* isolates and others */
    {0x3164, 0x3164},   {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   /* byte order mark */
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   /* annotations */
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, /* tags */
};

bool utf8_steers(uint32_t c)
{
    for (size_t i = 0; i < sizeof steering / sizeof *steering && c >= steering[i].first; i++)
        if (c <= steering[i].last)
            return true;
    return false;
}

void utf8_clean(char *text)
{
    unsigned char *out = (unsigned char *)text;
    const unsigned char *in = out;
    size_t n = strlen(text);

    while (n) {
        uint32_t c;
        int length = utf8_decode(in, n, &c);
        if (!length || utf8_steers(c)) {
            *out++ = '?';
            length = length ? length : 1;
        } else {
            memmove(out, in, (size_t)length);
            out += length;
        }
        in += length;
        n -= (size_t)length;
    }
    *out = '\0';
}
