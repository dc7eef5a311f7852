/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUS    "\xe2\x88\x92" /* U+2212 */
#define NO_BREAK "\xc2\xa0"     /* U+00A0 */

/* Digits with commas between thousands, behind a minus of the right width. */
static void grouped(char out[FORMAT_SIZE], double v, int decimals)
{
    char digits[48];
    size_t used = 0;

    if (fabs(v) > 1e18) {
        snprintf(out, FORMAT_SIZE, "%.3g", v);
        return;
    }
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(v));
    size_t whole = strcspn(digits, ".");
    if (v < 0 && strspn(digits, "0.") < strlen(digits))
        used += (size_t)snprintf(out, FORMAT_SIZE, MINUS);
    for (size_t i = 0; digits[i]; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* Three digits, no exponent between .001 and a million. */
static void three(char out[FORMAT_SIZE], double v)
{
    double size = fabs(v);
    int decimals = size >= 100 || v == floor(v) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;

    if (size != 0 && (size < 1e-3 || size >= 1e9))
        snprintf(out, FORMAT_SIZE, "%.3g", v);
    else
        grouped(out, v, decimals);
}

/* A factor in two digits: 0.97, 1.2, 120. */
static void factor(char out[FORMAT_SIZE], double v)
{
    const double unit = v >= 99.5 ? pow(10, floor(log10(v)) - 1) : 1;

    grouped(out, round(v / unit) * unit, 0);
    if (v < 9.95)
        grouped(out, v, v < .995 ? 2 : 1);
}

static void percent(char out[FORMAT_SIZE], double v, int decimals, enum language l)
{
    grouped(out, v, decimals);
    strcat(out, l == LANGUAGE_EN ? NO_BREAK "%" : "%");
}

static void with_prefix(char out[FORMAT_SIZE], double v, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t i = 0;

    for (; fabs(v) >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        v /= 1000;
    grouped(out, v, fabs(v) >= 99.5 || v == floor(v) ? 0 : fabs(v) >= 9.95 ? 1 : 2);
    size_t n = strlen(out);
    snprintf(out + n, FORMAT_SIZE - n, NO_BREAK "%s%s", prefixes[i], unit);
}

static void duration(char out[FORMAT_SIZE], double s, enum language l)
{
    bool en = l == LANGUAGE_EN;
    double whole = floor(s + .5), minutes = floor(s / 60 + .5);

    if (s < 0 || s > 1e12)
        three(out, s);
    else if (s > 0 && s < .9995)
        snprintf(out, FORMAT_SIZE, "%.*f" NO_BREAK "ms",
                 s < .00995  ? 2
                 : s < .0995 ? 1
                             : 0,
                 1000 * s);
    else if (s < 119.95)
        snprintf(out, FORMAT_SIZE, en ? "%.*f" NO_BREAK "s" : "%.*f秒", s < 9.95 ? 2 : 1, s);
    else if (whole < 7200)
        snprintf(out, FORMAT_SIZE,
                 en ? "%.0f" NO_BREAK "min" NO_BREAK "%.0f" NO_BREAK "s" : "%.0f分%.0f秒",
                 floor(whole / 60), fmod(whole, 60));
    else
        snprintf(out, FORMAT_SIZE,
                 en ? "%.0f" NO_BREAK "h" NO_BREAK "%02.0f" NO_BREAK "min" : "%.0f時間%02.0f分",
                 floor(minutes / 60), fmod(minutes, 60));
}

static const struct {
    const char *code, *sign, *ja;
} currencies[] = {{"JPY", "¥", "円"},
                  {"EUR", "€", "ユーロ"},
                  {"USD", "$", "ドル"},
                  {"GBP", "£", "ポンド"},
                  {"CHF", "CHF ", "スイスフラン"}};

/* Millions to one decimal, 10,000 times that in Japanese: sums agree in both. */
static void money(char out[FORMAT_SIZE], double v, enum language l, const char *currency)
{
    char number[FORMAT_SIZE], sign[16] = "", ja[32] = "";
    bool millions = fabs(v) >= 999500;
    double tenths = floor(fabs(v) / 1e5 + .5), shown = millions ? tenths / 10 : fabs(v);

    snprintf(sign, sizeof sign, "%.6s ", currency ? currency : "");
    snprintf(ja, sizeof ja, " %.6s", currency ? currency : "");
    for (size_t i = 0; currency && i < sizeof currencies / sizeof *currencies; i++)
        if (strcmp(currency, currencies[i].code) == 0) {
            snprintf(sign, sizeof sign, "%s", currencies[i].sign);
            snprintf(ja, sizeof ja, "%s", currencies[i].ja);
        }
    int decimals = millions ? 1 : shown >= 100 || shown == 0 ? 0 : shown >= 10 ? 1 : 2;
    grouped(number, millions && l == LANGUAGE_JA ? tenths * 10 : shown,
            l == LANGUAGE_JA && millions ? 0 : decimals);
    if (l == LANGUAGE_JA)
        snprintf(out, FORMAT_SIZE, "%s%.24s%s%s", v < 0 ? MINUS : "", number, millions ? "万" : "",
                 ja);
    else
        snprintf(out, FORMAT_SIZE, "%s%s%.24s%s", v < 0 ? MINUS : "", sign, number,
                 millions ? NO_BREAK "M" : "");
}

static void date(char out[FORMAT_SIZE], double v, bool minutes, enum language l)
{
    static const char *const forms[2][2] = {{"%-d %b %Y", "%Y年%-m月%-d日"},
                                            {"%-d %b %Y, %H:%M UTC", "%Y年%-m月%-d日%-H:%M UTC"}};
    time_t t = (time_t)v;
    struct tm day;

    if (v < 0 || v > 253402300799.0 || !gmtime_r(&t, &day) ||
        !strftime(out, FORMAT_SIZE, forms[minutes][l], &day))
        strcpy(out, "–");
}

void format_number(char out[FORMAT_SIZE], double v, const char *form, enum language l,
                   const char *currency)
{
    static const struct {
        const char *form, *unit;
    } units[] = {{"flops", "FLOP/s"}, {"flop", "FLOP"}, {"bytes", "B"}, {"bps", "B/s"},
                 {"joule", "J"},      {"watt", "W"},    {"hertz", "Hz"}};

    if (!isfinite(v)) {
        strcpy(out, "–");
        return;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(form, units[i].form) == 0) {
            with_prefix(out, v, units[i].unit);
            return;
        }
    if (form[0] == 'n')
        grouped(out, v, form[1] ? form[1] - '0' : 0);
    else if (strncmp(form, "pct", 3) == 0)
        percent(out, v, form[3] == '1' || (form[3] == '2' && fabs(v) < 9.95), l);
    else if (strcmp(form, "x") == 0)
        factor(out, v);
    else if (strcmp(form, "dur") == 0)
        duration(out, v, l);
    else if (strcmp(form, "money") == 0)
        money(out, v, l, currency);
    else if (strcmp(form, "day") == 0 || strcmp(form, "minute") == 0)
        date(out, v, form[0] == 'm', l);
    else
        three(out, v);
}
