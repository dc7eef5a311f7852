/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page one: what to buy. It must never claim: a purchase without a simulated gain, by a
 * run that does not decide, or that is not clear of more nodes for the same money; a gain
 * by the middle of its interval; a price that is not in the file.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/section.h"

enum { MOST_BUYS = 4 };

double page_mix(const struct page *p)
{
    double sum = 0;

    for (int i = 0; i < p->prices->n_mix; i++)
        for (int k = 0; k < p->book->n_groups; k++)
            if (strcmp(p->prices->mix[i].name, p->book->groups[k].name) == 0) {
                sum += p->prices->mix[i].share;
                break;
            }
    return sum;
}

/* The most of the time, 0 to 1, that the option could save in the work of the mix that
 * was measured here; NAN: one of them does not tell. */
static double most_gain(const struct page *p, const struct price_buy *b)
{
    double sum = 0, shares = 0;

    for (int i = 0; i < p->prices->n_mix; i++)
        for (int k = 0; k < p->book->n_groups; k++)
            if (strcmp(p->prices->mix[i].name, p->book->groups[k].name) == 0) {
                sum += p->prices->mix[i].share * held_bound(&p->held[k], &p->split[k], b->resource);
                shares += p->prices->mix[i].share;
                break;
            }
    return sum / shares;
}

/* Without a diagnosis the waits of the split are causes that nobody has confirmed. */
static bool is_split_clear(const struct page *p)
{
    for (int i = 0; i < p->book->n_groups; i++)
        if (p->split[i].limit != LIMIT_COMPUTE)
            return false;
    return true;
}

bool page_decides(const struct page *p)
{
    const int worst = page_worst_held(p);

    if (p->gates.failed || !cJSON_IsTrue(json_at(p->book->records[0], "valid")) ||
        page_disturbed(p) >= 0)
        return false;
    for (int i = 0; i < p->book->n_groups; i++)
        if (!training_reached(group_work(p, i)))
            return false;
    for (int i = 0; i < p->gates.n; i++) /* page one asks to measure again first */
        if (p->gates.gate[i].free_step)
            return false;
    if (page_first_held(p) >= 0)
        return worst < 0 || p->held[worst].confirmed;
    return is_split_clear(p);
}

/* An interval that begins at about 0 is the most that may be saved. */
static void judged(struct grid *g, enum word between, enum word most,
                   const struct advised_option *o)
{
    if (o->low >= ADVISED_LEAST)
        grid_say(g, between, N(100 * o->low), N(100 * o->high));
    else
        grid_say(g, most, N(100 * o->high));
}

/* What the waits alone say, where there is no simulated gain. */
static void unsimulated(struct grid *g, const struct price_buy *b, double even, bool refused)
{
    const double most = most_gain(g->p, b);

    if (most < even)
        grid_say(g, W_NO_GAIN, N(100 * most));
    else
        grid_say(g, refused ? W_BUY_REFUSED : W_NOT_YET);
}

/* True: it is advised. */
static bool judge(struct grid *g, const struct price_buy *b, int option, double even)
{
    const struct page *p = g->p;
    struct advised_option o;

    advised_option(p->book, p->prices, p->advised, option, &o);
    if (!o.complete)
        unsimulated(g, b, even, o.refused);
    else if (o.shared)
        grid_say(g, W_BUY_SHARED);
    else if (o.high < even)
        judged(g, W_BUY_NO, W_BUY_NO_MOST, &o);
    else if (!(o.low > even))
        judged(g, W_BUY_UNDECIDED, W_BUY_UNDECIDED_MOST, &o);
    else if (!page_decides(p))
        grid_say(g, W_BUY_WAITS, N(100 * o.low), N(100 * o.high));
    else if (!o.clear)
        grid_say(g, W_BUY_NODES, N(100 * o.low), N(100 * o.high));
    else {
        grid_say(g, W_BUY_YES, N(100 * o.low), N(100 * o.high));
        return true;
    }
    return false;
}

static bool buys(struct page *p)
{
    static const struct column columns[] = {
        {W_OPTION, false}, {W_PRICE, true}, {W_BREAK_EVEN, true}, {W_ADVICE, false}};
    const double nodes =
        p->prices->nodes > 0 ? p->prices->nodes : record_nodes(p->book->records[0]);
    const double mix = page_mix(p);
    struct price_life life;
    bool advised = false;
    struct grid g;

    prices_life(p->prices, p->node, &life);
    grid_open(&g, p, columns, 4, true);
    for (int i = 0; i < p->prices->n_buys && i < MOST_BUYS; i++) {
        const struct price_buy *b = &p->prices->buy[i];
        const double price = advice_price(p->prices, p->node, b, nodes);
        const double even = price / (mix * nodes * life.sum);
        grid_row(&g);
        grid_say(&g, W_OPTION_NAME, T(b->name), N(b->factor));
        grid_value(&g, N(price), "money");
        grid_say(&g, even > 1 ? W_NEVER_PAYS : W_PAYS_FROM, N(100 * even));
        advised |= judge(&g, b, i, even);
    }
    grid_close(&g);
    para(p, "small", W_BUY_NOTE, N(nodes), N(100 * mix), N(p->prices->life_years));
    return advised;
}

bool page_buys(struct page *p)
{
    bool advised = false;

    heading(p, 2, W_BUY);
    if (!p->prices)
        para(p, NULL, W_BUY_NO_PRICES);
    else if (!p->node)
        para(p, NULL, W_BUY_NO_NODE,
             T(json_text(p->book->records[0], "system.nodes[0].class", "–")));
    else if (p->prices->n_buys == 0)
        para(p, NULL, W_BUY_NONE);
    else if (!(page_mix(p) > 0))
        para(p, NULL, W_BUY_NO_MIX);
    else
        advised = buys(p);
    int worst = page_worst_held(p);
    if (worst >= 0 && !p->held[worst].confirmed)
        para(p, "small", W_BUY_OPEN);
    return advised;
}
