/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/utf8.h"

#include <stdbool.h>
#include <stdint.h>
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

static uint32_t decode(const unsigned char *p, int length)
{
    uint32_t c = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));

    for (int i = 1; i < length; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static bool steers(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
           c == 0x200f || c == 0x061c || c == 0xfeff;
}

void utf8_clean(char *text)
{
    unsigned char *out = (unsigned char *)text;
    const unsigned char *in = out;
    size_t n = strlen(text);

    while (n) {
        int length = utf8_length(in, n);
        if (!length || steers(decode(in, length))) {
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
