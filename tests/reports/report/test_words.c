/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of words, numbers in two languages, names that are data. */
#include <config.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/report/format.h"
#include "reports/report/refusal.h"
#include "reports/report/words.h"
#include "tests/unit.h"

/* The places of a row, sorted: "{0:pct}{1}". */
static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void places(const char *text, char out[512])
{
    char found[12][32];
    size_t n = 0;

    for (const char *at = text; (at = strchr(at, '{')); at++) {
        size_t length = strcspn(at, "}") + 1;
        assert_true(n < 12 && length < sizeof found[0]);
        snprintf(found[n++], sizeof found[0], "%.*s", (int)length, at);
    }
    qsort(found, n, sizeof found[0], compare);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(found[i], found[i - 1]) != 0)
            strcat(out, found[i]);
}

static void test_table(void **state)
{
    (void)state;
    for (int w = 0; w < WORD_COUNT; w++) {
        const char *en = word_text(w, LANGUAGE_EN), *ja = word_text(w, LANGUAGE_JA);
        char in_en[512], in_ja[512];
        print_message("%s\n", word_key(w));
        assert_true(*en && *ja);
        places(en, in_en);
        places(ja, in_ja);
        assert_string_equal(in_en, in_ja);
        for (const char *at = ja; (at = strstr(at, "\xef\xbc")); at += 2) /* U+FF10 to U+FF19 */
            assert_false((unsigned char)at[2] >= 0x90 && (unsigned char)at[2] <= 0x99);
        for (int l = 0; l < LANGUAGE_COUNT; l++) { /* strong text ends where it began */
            int stars = 0;
            for (const char *at = word_text(w, l); *at; at++)
                stars += *at == '*';
            assert_int_equal(stars % 2, 0);
        }
    }
}

/* A row with 7, 8, 9 in its places. */
static void filled(const char *form, char out[SAID_SIZE])
{
    char *to = out;

    for (const char *at = form; *at; at++) {
        if (at[0] == '{') {
            *to++ = (char)('7' + at[1] - '0');
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

/* Every refusal is found by the sentence that was made of it, and by no other row's. */
static void test_refusals(void **state)
{
    char en[SAID_SIZE], ja[SAID_SIZE];
    int n = 0;

    (void)state;
    for (; refusal_text(n, LANGUAGE_EN); n++) {
        const char *form = refusal_text(n, LANGUAGE_JA);
        print_message("%s\n", refusal_text(n, LANGUAGE_EN));
        assert_true(*form);
        for (const char *at = form; (at = strchr(at, '{')); at++) { /* places of the English one */
            char place[4];
            snprintf(place, sizeof place, "%.3s", at);
            assert_non_null(strstr(refusal_text(n, LANGUAGE_EN), place));
        }
        for (const char *at = form; (at = strstr(at, "\xef\xbc")); at += 2)
            assert_false((unsigned char)at[2] >= 0x90 && (unsigned char)at[2] <= 0x99);
        filled(refusal_text(n, LANGUAGE_EN), en);
        filled(form, ja);
        assert_string_equal(refusal_said(en, LANGUAGE_EN).text, en);
        assert_string_equal(refusal_said(en, LANGUAGE_JA).text, ja);
    }
    assert_true(n > 25);
    assert_string_equal(refusal_said("of a later release", LANGUAGE_JA).text, "of a later release");
    assert_string_equal(refusal_said("", LANGUAGE_JA).text, "");
    assert_string_equal(refusal_said("4 ranks × 1.3 is not a number of ranks", LANGUAGE_JA).text,
                        "4ランクの1.3倍はランク数になりません");
}

static void test_forms(void **state)
{
    static const struct {
        double v;
        const char *form, *currency, *en, *ja;
    } rows[] = {
        {1024, "n", NULL, "1,024", "1,024"},
        {-0.4, "n", NULL, "0", "0"},
        {-1234.5, "n1", NULL,
         "\xe2\x88\x92"
         "1,234.5",
         "\xe2\x88\x92"
         "1,234.5"},
        {22.4, "pct", NULL, "22\xc2\xa0%", "22%"},
        {9.94, "pct2", NULL, "9.9\xc2\xa0%", "9.9%"},
        {37.46, "pct2", NULL, "37\xc2\xa0%", "37%"},
        {0.974, "x", NULL, "0.97", "0.97"},
        {1.24, "x", NULL, "1.2", "1.2"},
        {12.4, "x", NULL, "12", "12"},
        {1264, "x", NULL, "1,300", "1,300"},
        {0.04, "pct1", NULL, "0.0\xc2\xa0%", "0.0%"},
        {9934, "dur", NULL,
         "2\xc2\xa0h\xc2\xa0"
         "46\xc2\xa0min",
         "2時間46分"},
        {131, "dur", NULL,
         "2\xc2\xa0min\xc2\xa0"
         "11\xc2\xa0s",
         "2分11秒"},
        {0.0455, "dur", NULL, "45.5\xc2\xa0ms", "45.5\xc2\xa0ms"},
        {12.9e9, "flops", NULL, "12.9\xc2\xa0GFLOP/s", "12.9\xc2\xa0GFLOP/s"},
        {2.64e6, "money", "JPY", "¥2.6\xc2\xa0M", "260万円"},
        {51000, "money", "JPY", "¥51,000", "51,000円"},
        {999999, "money", "EUR", "€1.0\xc2\xa0M", "100万ユーロ"},
        {0.6, "money", "EUR", "€0.60", "0.60ユーロ"},
        {1795374177, "day", NULL, "22 Nov 2026", "2026年11月22日"},
        {NAN, "pct", NULL, "–", "–"},
        {INFINITY, "money", "EUR", "–", "–"},
        {0.31, "g", NULL, "0.310", "0.310"},
    };
    char out[FORMAT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        format_number(out, rows[i].v, rows[i].form, LANGUAGE_EN, rows[i].currency);
        print_message("%s\n", out);
        assert_string_equal(out, rows[i].en);
        format_number(out, rows[i].v, rows[i].form, LANGUAGE_JA, rows[i].currency);
        assert_string_equal(out, rows[i].ja);
    }
}

/* Money of both languages adds up alike: 0.1 M is 10万. */
static void test_money_alike(void **state)
{
    char en[FORMAT_SIZE], ja[FORMAT_SIZE];

    (void)state;
    for (double v = 1e6; v < 1e9; v *= 1.37) {
        format_number(en, v, "money", LANGUAGE_EN, "JPY");
        format_number(ja, v, "money", LANGUAGE_JA, "JPY");
        double millions = 0, man = 0;
        for (const char *at = en; *at; at++) /* digits alone: "¥12.3 M" is 123 */
            millions = isdigit((unsigned char)*at) ? 10 * millions + (*at - '0') : millions;
        for (const char *at = ja; *at; at++)
            man = isdigit((unsigned char)*at) ? 10 * man + (*at - '0') : man;
        assert_true(millions * 10 == man);
    }
}

static void test_data_is_text(void **state)
{
    static const struct {
        const char *in, *out;
        int most;
    } rows[] = {{"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;", 64},
                {"bad\xff"
                 "byte",
                 "bad\xef\xbf\xbd"
                 "byte",
                 64},
                {"\xe2\x80\xaetxt.exe\x1b[2J", "txt.exe[2J", 64},
                {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", "\xe6\xbc\xa2\xe2\x80\xa6", 2},
                {"12345678", "1234567\xe2\x80\xa6", 8 - 0},
                {"", "", 64}};
    char *text = NULL;
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FILE *f = open_memstream(&text, &size);
        html_text(f, i == 4 ? "123456789" : rows[i].in, rows[i].most);
        fclose(f);
        assert_string_equal(text, rows[i].out);
        free(text);
    }
}

/* What goes into a place is escaped in HTML and bare in a plain text. */
static void test_say(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    struct pen p = {.f = f, .lang = LANGUAGE_EN};

    (void)state;
    say(&p, W_S_BUSY, T("<hep>"), N(41.6));
    say(&p, W_SPLIT_CAPTION);
    fclose(f);
    assert_non_null(strstr(text, "“&lt;hep&gt; computes for 42\xc2\xa0%"));
    assert_non_null(strstr(text, "<b>Where the time went</b>"));
    free(text);
    assert_non_null(strstr(said(&p, W_S_BUSY, T("<hep>"), N(41.6)).text, "“<hep> computes for 42"));
    assert_null(strchr(said(&p, W_SPLIT_CAPTION).text, '*'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_forms),        cmocka_unit_test(test_money_alike),
        cmocka_unit_test(test_data_is_text), cmocka_unit_test(test_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
