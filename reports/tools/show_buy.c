/* SPDX-License-Identifier: BSD-3-Clause */
/* What is worth doing and buying, as lines. */
#include <config.h>

#include "reports/tools/show_buy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/tools/buy.h"
#include "reports/tools/show_text.h"

/* ---- numbers of at most two digits ---- */

/* 0.97, 12, 120: never as a power of ten. */
static struct shown two_digits(double v)
{
    const double unit = v != 0 && isfinite(v) ? pow(10, floor(log10(fabs(v))) - 1) : 1;
    const double two = round(v / unit) * unit;
    struct shown s;

    snprintf(s.text, sizeof s.text, fabs(two) >= 99.5 ? "%.0f" : "%.2g", two);
    return s;
}

/* A factor: 1.2, 0.97, 12. */
static struct shown factor(double v)
{
    struct shown s;

    if (v < 0.995 || v >= 9.95)
        return two_digits(v);
    snprintf(s.text, sizeof s.text, "%.1f", v);
    return s;
}

static struct shown money(double v, const char *currency)
{
    const char *sign = v < 0 ? "-" : "";
    double two = fabs(v);
    struct shown s;

    if (!isfinite(v))
        return show_plain(v);
    if (two >= 100) {
        const double unit = pow(10, floor(log10(two)) - 1);
        two = round(two / unit) * unit;
    }
    if (two < 1000)
        snprintf(s.text, sizeof s.text, "%s%.12s %.3s", sign, two_digits(two).text, currency);
    else if (two < 1e6)
        snprintf(s.text, sizeof s.text, "%s%.0f,%03.0f %.3s", sign, floor(two / 1000),
                 fmod(two, 1000), currency);
    else
        snprintf(s.text, sizeof s.text, "%s%.12s million %.3s", sign, two_digits(two / 1e6).text,
                 currency);
    return s;
}

/* "between 1.1 and 1.3 times as fast", or why there is no number. */
static void gain_words(const struct prediction *g, char *text, size_t size)
{
    if (g->state == PREDICT_REFUSED)
        snprintf(text, size, "no answer: %s", g->why);
    else if (g->state == PREDICT_BOUND)
        snprintf(text, size, "at most %s times as fast: %s", factor(g->high).text, g->why);
    else
        snprintf(text, size, "between %s and %s times as fast%s%s", factor(g->low).text,
                 factor(g->high).text, g->untested ? " (untested)" : "",
                 g->beyond ? " (beyond 8 × what was measured)" : "");
}

static void gain_line(const struct what *w, const struct prediction *g, const char *mark)
{
    char said[64], head[96], text[320];

    what_text(w, said, sizeof said);
    snprintf(head, sizeof head, "%s%-*s", mark, 36 + (int)strlen(said) - show_columns(said), said);
    gain_words(g, text, sizeof text);
    show_wrapped(head, text, 38);
}

/* Below a gain, of what changes batch or nodes. */
static void quality_line(const struct what *w, const struct quality *q)
{
    char text[320];

    if (!quality_differs(w->kind))
        return;
    if (q->state == QUALITY_KNOWN)
        snprintf(text, sizeof text, "between %s and %s times as fast%s%s", factor(q->low).text,
                 factor(q->high).text, q->epochs == 1 ? "" : ", epochs × ",
                 q->epochs == 1 ? "" : two_digits(q->epochs).text);
    else if (q->state == QUALITY_BOUND)
        snprintf(text, sizeof text, "at most %s times as fast", factor(q->high).text);
    else
        snprintf(text, sizeof text, "%s%s", q->state == QUALITY_REFUSED ? "no answer: " : "",
                 q->why);
    show_wrapped("    to the target quality             ", text, 38);
}

/* ---- the page ---- */

static void show_replay(const struct advice *a)
{
    const struct replay *r = &a->replay;

    show_line("A step takes %.3g ms; played again %.3g ms (%+.1f %%).", 1e3 * r->measured,
              1e3 * r->played, 100 * expm1(r->error));
    show_line("First half played against the second: %+.1f %%; the halves differ by %+.1f %%.",
              100 * expm1(r->held_out), 100 * expm1(r->drift));
    if (a->shared)
        show_wrapped("",
                     "Other work shares these cores: this run predicts this situation, and "
                     "no purchase is advised.",
                     0);
}

static void show_free(const struct advice *a)
{
    printf("First, for nothing (+: taken, per sample of training):\n");
    for (int i = 0; i < a->n_free; i++) {
        gain_line(&a->free[i].what, &a->free[i].gain, a->free[i].taken ? "+ " : "  ");
        quality_line(&a->free[i].what, &a->free[i].quality);
    }
    if (a->n_taken > 1) {
        char text[320];
        gain_words(&a->together, text, sizeof text);
        show_wrapped("  all that are taken                  ", text, 38);
    }
}

static const char *worth_words(const struct advice_buy *b)
{
    switch (b->worth) {
    case WORTH_IT:
        return b->advised ? "worth it" : "pays, but more nodes may bring as much";
    case WORTH_NOT:
        return "not worth it";
    case WORTH_UNDECIDED:
        return "undecided: measure it on a loan";
    case WORTH_UNKNOWN:
        break;
    }
    return "not judged";
}

static void show_price(const struct advice_buy *b, const char *currency)
{
    char text[320];

    if (!b->known) {
        show_wrapped("    ", "what this resource brings cannot be asked", 4);
        return;
    }
    if (isfinite(b->price))
        show_line("    %s costs %s", b->name, money(b->price, currency).text);
    if (isfinite(b->saved_low))
        show_line("    saves between %s and %s: %s", money(b->saved_low, currency).text,
                  money(b->saved_high, currency).text, worth_words(b));
    if (isfinite(b->gain_per_1000))
        show_line("    %s %% for 1,000 %s", factor(b->gain_per_1000).text, currency);
    if (isfinite(b->rival_nodes)) {
        gain_words(&b->rival, text, sizeof text);
        show_wrapped("    nodes for the same money:         ", text, 38);
    }
}

static void show_purchases(const struct advice *a, const char *currency)
{
    printf("Then, for money:\n");
    for (int i = 0; i < a->n_buys; i++) {
        const struct advice_buy *b = &a->buy[i];
        if (b->known) {
            gain_line(&b->what, &b->gain, "  ");
            quality_line(&b->what, &b->quality);
        } else {
            show_line("  %s", b->name);
        }
        if (currency)
            show_price(b, currency);
    }
    if (currency && !isfinite(a->mix))
        show_wrapped("", "The price file's [mix] does not have this workload: no sum of the site.",
                     0);
}

/* What is in no sum for want of a price. */
static void show_missing(unsigned missing)
{
    static const struct {
        enum price_part part;
        const char *what;
    } rows[] = {{PRICE_SUPPORT, "support costs"},
                {PRICE_POWER, "power costs (power_watts, kwh)"},
                {PRICE_STAFF, "staff costs"},
                {PRICE_SPARES, "part is bought as spares"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (missing & rows[i].part)
            show_line("  the price file does not say what %s: no sum has it", rows[i].what);
}

static void show_money(const struct subject *s)
{
    const struct prices *p = s->prices;

    if (!p)
        return;
    show_line("Prices of %s%s%s", p->as_of, p->source[0] ? ", " : "", p->source);
    if (s->expired)
        show_line("  they were valid until %s: this run is later", p->valid_until);
    if (!s->node) {
        show_line("  the price file has no row for nodes of class %s", s->class);
        return;
    }
    show_line("  node-hour %s, run %s", money(s->node_hour, p->currency).text,
              money(s->run_price, p->currency).text);
    if (isfinite(s->quality_price))
        show_line("  to the target quality %s", money(s->quality_price, p->currency).text);
    else
        show_line("  the target quality was not reached: it has no price");
    show_missing(s->missing);
}

static void show_asked(const struct subject *s)
{
    if (s->n_asked)
        printf("Asked:\n");
    for (int i = 0; i < s->n_asked; i++) {
        gain_line(&s->asked[i].what, &s->asked[i].gain, "  ");
        quality_line(&s->asked[i].what, &s->asked[i].quality);
    }
}

static void show_subject(const struct subject *s)
{
    show_line("%s  %s %s, %g node%s, %.10s", s->id, s->name, s->size, s->nodes,
              s->nodes == 1 ? "" : "s", s->date);
    if (s->why[0]) {
        show_wrapped("  ", s->why, 2);
        return;
    }
    show_replay(&s->advice);
    show_asked(s);
    show_free(&s->advice);
    show_money(s);
    show_purchases(&s->advice, s->prices ? s->prices->currency : NULL);
    show_wrapped("",
                 "Of this workload, class, size and date only. 90 % intervals; a factor is "
                 "its seller's claim.",
                 0);
}

static int show_json(const struct subject *s, int n, struct err *e)
{
    char *text = buy_json(s, n, e);

    if (!text)
        return -1;
    puts(text);
    free(text);
    return 0;
}

int show_buy(const cJSON *doc, const struct buy_options *o, struct err *e)
{
    struct subject *s;
    int n, rc = buy_subjects(doc, o, &s, &n, e);

    if (rc == 0 && o->json)
        rc = show_json(s, n, e);
    else
        for (int i = 0; rc == 0 && i < n; i++)
            show_subject(&s[i]);
    free(s);
    return rc;
}
