/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines and numbers of `hpcai500 show`. */
#include <config.h>

#include "reports/tools/show_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/utf8.h"
#include "reports/record/fields.h"

/* ---- lines ---- */

int show_columns(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* Cuts text to so many columns, with "..." where it was longer. */
static void cut(char *text, int most)
{
    int n = 0;

    if (show_columns(text) <= most)
        return;
    for (char *c = text; *c; c++)
        if ((*c & 0xc0) != 0x80 && n++ == most - 3) {
            memcpy(c, "...", 4);
            return;
        }
}

void show_whole(char *text)
{
    const size_t n = strlen(text);

    for (size_t at; (at = utf8_check(text, n)) < n;)
        text[at] = '?';
}

void show_line(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    show_whole(text);
    cut(text, SHOW_WIDTH);
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
    puts(text);
}

/* Bytes of the first so many columns of text, at most n. */
static size_t bytes_of(const char *text, size_t n, int most)
{
    size_t i = 0;

    for (int shown = 0; i < n; i++) {
        shown += (text[i] & 0xc0) != 0x80;
        if (shown > most)
            break;
    }
    return i;
}

static int columns_of(const char *text, size_t n)
{
    int shown = 0;

    for (size_t i = 0; i < n; i++)
        shown += (text[i] & 0xc0) != 0x80;
    return shown;
}

void show_wrapped(const char *head, const char *text, int indent)
{
    int at = printf("%s", head) > 0 ? show_columns(head) : 0;

    for (bool first = true; *text; first = false) {
        size_t n = strcspn(text, " ");
        bool fits = at + !first + columns_of(text, n) <= SHOW_WIDTH;
        if (!fits && !first) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        while (columns_of(text, n) > SHOW_WIDTH - at) { /* a word longer than a line */
            size_t part = bytes_of(text, n, SHOW_WIDTH - at);
            printf("%.*s\n%*s", (int)part, text, indent, "");
            text += part;
            n -= part;
            at = indent;
        }
        printf("%.*s", (int)n, text);
        at += columns_of(text, n);
        text += n + strspn(text + n, " ");
    }
    printf("\n");
}

/* ---- numbers ---- */

struct shown show_si(double v, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    struct shown s = {"-"};
    size_t i = 0;

    if (!isfinite(v))
        return s;
    for (; fabs(v) >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        v /= 1000;
    int digits = fabs(v) >= 99.5 || v == floor(v) ? 0 : fabs(v) >= 9.95 ? 1 : 2;
    snprintf(s.text, sizeof s.text, "%.*f %s%s", digits, v, prefixes[i], unit);
    for (size_t n = strlen(s.text); n && s.text[n - 1] == ' '; n--)
        s.text[n - 1] = '\0';
    return s;
}

struct shown show_duration(double seconds)
{
    struct shown s = {"-"};
    double whole = floor(seconds + 0.5), minutes = floor(seconds / 60 + 0.5);

    if (!isfinite(seconds))
        return s;
    if (seconds > 0 && seconds < 0.9995)
        snprintf(s.text, sizeof s.text, "%.*f ms", seconds < 0.00995 ? 1 : 0, 1000 * seconds);
    else if (seconds < 119.95)
        snprintf(s.text, sizeof s.text, "%.*f s", seconds < 9.95 ? 2 : 1, seconds);
    else if (whole < 7200)
        snprintf(s.text, sizeof s.text, "%.0f min %.0f s", floor(whole / 60), fmod(whole, 60));
    else
        snprintf(s.text, sizeof s.text, "%.0f h %.0f min", floor(minutes / 60), fmod(minutes, 60));
    return s;
}

struct shown show_plain(double v)
{
    struct shown s = {"-"};

    if (isfinite(v))
        snprintf(s.text, sizeof s.text, "%.4g", v);
    return s;
}

double show_number(const cJSON *o, const char *path)
{
    return json_number(o, path, NAN);
}
