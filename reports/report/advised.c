/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/advised.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/record/steps_file.h"

bool advised_known(const struct advised *a)
{
    return a->there && !a->why[0];
}

double advised_less(double gain)
{
    return fmax(0, 1 - 1 / gain);
}

static int advise_training(const struct training *t, const struct prices *prices,
                           struct steps_file *f, struct advised *a, struct err *e)
{
    const char *name = json_text(t->workload, "name", "");
    const int workload = advice_run_find(f, t->record, t->workload);
    const struct price_node *node =
        prices ? prices_node(prices, json_text(t->record, "system.nodes[0].class", "")) : NULL;
    struct err why = ERR_INIT;
    struct advice_run run;

    if (workload < 0)
        return 0;
    a->there = true;
    (void)lengths_filed(f, workload, &a->lengths, NULL); /* else none are known */
    if (advice_run_open(&run, f, workload, t->record, t->workload, &why) < 0) {
        snprintf(a->why, sizeof a->why, "%.*s", (int)sizeof a->why - 1, why.text);
        return 0;
    }
    const int rc =
        advise(&run.predictor, prices, node, name, record_nodes(t->record), &a->advice, e);
    if (rc == 0)
        advice_quality(&run.quality, &a->advice);
    advice_run_close(&run);
    return rc;
}

/* All groups whose reported run is of that record. */
static int advise_record(const struct book *b, const struct prices *prices, int record,
                         struct steps_file *f, struct advised *a, struct err *e)
{
    for (int i = 0; i < b->n_groups; i++) {
        const struct training *t = group_reported(&b->groups[i]);
        if (t->record_index == record && advise_training(t, prices, f, &a[i], e) < 0)
            return -1;
    }
    return 0;
}

static bool is_reported(const struct book *b, int record)
{
    for (int i = 0; i < b->n_groups; i++)
        if (group_reported(&b->groups[i])->record_index == record)
            return true;
    return false;
}

int advised_of(const struct book *b, const struct page_options *o, struct advised *a, struct err *e)
{
    int rc = 0;

    memset(a, 0, BOOK_MOST_GROUPS * sizeof *a);
    for (int r = 0; o->steps && rc == 0 && r < b->n; r++) {
        size_t size = 0;
        void *bytes = is_reported(b, r) ? o->steps(o->steps_from, r, &size) : NULL;
        struct steps_file *f = bytes ? steps_file_of(bytes, size, "the steps file", NULL) : NULL;
        if (f)
            rc = advise_record(b, o->prices, r, f, a, e);
        steps_file_close(f);
        free(bytes);
    }
    return rc;
}

/* ---- one option, of all trainings ---- */

static void add_training(const struct advised *a, int option, double share,
                         struct advised_option *out)
{
    const struct advice_buy *b = &a->advice.buy[option];

    if (!advised_known(a) || option >= a->advice.n_buys || !b->known ||
        b->gain.state == PREDICT_REFUSED) {
        out->complete = false;
        out->refused |= a->there;
        return;
    }
    out->low += share * (b->gain.state == PREDICTED ? advised_less(b->gain.low) : 0);
    out->high += share * advised_less(b->gain.high);
    out->shared |= a->advice.shared;
    out->clear = out->clear && b->gain.state == PREDICTED && b->rival.state == PREDICTED &&
                 b->gain.low > b->rival.high;
}

void advised_option(const struct book *b, const struct prices *p, const struct advised *a,
                    int option, struct advised_option *out)
{
    double shares = 0;

    *out = (struct advised_option){.complete = true, .clear = true};
    for (int i = 0; i < p->n_mix; i++)
        for (int k = 0; k < b->n_groups; k++)
            if (strcmp(p->mix[i].name, b->groups[k].name) == 0) {
                add_training(&a[k], option, p->mix[i].share, out);
                shares += p->mix[i].share;
                break;
            }
    out->complete = out->complete && shares > 0;
    out->low /= shares;
    out->high /= shares;
}
