/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/buy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/record/steps_file.h"
#include "reports/report/advice_run.h"
#include "reports/report/book.h"

/* ---- gathering ---- */

static void fill_money(struct subject *s, const cJSON *doc, const cJSON *w)
{
    const double seconds = json_number(w, "wall_seconds", NAN);
    const double quality = json_number(w, "performance.time_to_quality_seconds", NAN);
    struct price_life life;

    s->node_hour = s->run_price = s->quality_price = NAN;
    if (!s->prices)
        return;
    s->expired = prices_expired(s->prices, book_time(doc, "time.end"));
    if (!(s->node = prices_node(s->prices, s->class)))
        return;
    prices_life(s->prices, s->node, &life);
    s->node_hour = life.node_hour;
    s->missing = life.missing;
    s->run_price = advice_run_price(s->prices, s->node, s->nodes, seconds);
    s->quality_price = advice_run_price(s->prices, s->node, s->nodes, quality);
}

/* Questions of the user's own, of the run as it was. */
static int ask(struct subject *s, const struct advice_run *r, const char *questions, struct err *e)
{
    struct what w[BUY_ASKED];
    const int n = questions ? what_parse(questions, w, BUY_ASKED, e) : 0;

    for (int i = 0; i < n; i++) {
        s->asked[i].what = w[i];
        if (predict(&r->predictor, NULL, 0, &w[i], 1, &s->asked[i].gain, e) < 0)
            return -1;
        quality_after(&r->quality, &w[i], 1, &s->asked[i].gain, &s->asked[i].quality);
        s->n_asked++;
    }
    return n < 0 ? -1 : 0;
}

/* What cannot be said of one workload is a sentence of it, not the end of all. */
static int advise_subject(struct subject *s, struct steps_file *f, int workload, const cJSON *doc,
                          const cJSON *w, const cJSON *ceilings, const char *questions,
                          struct err *e)
{
    struct advice_run r;
    struct err why = ERR_INIT;

    if (advice_run_open(&r, f, workload, doc, w, &why) < 0) {
        snprintf(s->why, sizeof s->why, "%.*s", (int)sizeof s->why - 1, why.text);
        return 0;
    }
    if (ceilings)
        advice_run_ceilings(&r, ceilings, w);
    int rc = advise(&r.predictor, s->prices, s->node, s->name, s->nodes, &s->advice, e);
    if (rc == 0) {
        advice_quality(&r.quality, &s->advice);
        rc = ask(s, &r, questions, e);
    }
    advice_run_close(&r);
    return rc;
}

static int gather(const cJSON *doc, const struct buy_options *o, struct steps_file *f,
                  struct subject *s, int *n, struct err *e)
{
    const cJSON *w;

    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
    {
        const char *name = json_text(w, "name", "");
        const int workload = advice_run_find(f, doc, w);
        if (workload < 0)
            continue;
        struct subject *to = &s[(*n)++];
        *to = (struct subject){
            .id = json_text(doc, "id", "?"),
            .name = name,
            .size = json_text(w, "class", "?"),
            .date = json_text(doc, "time.end", ""),
            .class = json_text(doc, "system.nodes[0].class", ""),
            .nodes = record_nodes(doc),
            .prices = o->prices,
        };
        fill_money(to, doc, w);
        if (advise_subject(to, f, workload, doc, w, o->ceilings, o->what, e) < 0)
            return -1;
    }
    return 0;
}

int buy_subjects(const cJSON *doc, const struct buy_options *o, struct subject **s, int *n,
                 struct err *e)
{
    const int most = cJSON_GetArraySize(json_at(doc, "workloads"));
    struct steps_file *f = steps_file_of(o->steps, o->size, "the steps file", e);

    *n = 0;
    *s = NULL;
    if (!f)
        return -1;
    *s = calloc((size_t)most + 1, sizeof **s);
    int rc = *s ? gather(doc, o, f, *s, n, e) : err_set(e, "out of memory");
    steps_file_close(f);
    if (rc == 0 && *n == 0) {
        err_set(e, "the steps file has the steps of no workload of this record");
        rc = 1;
    }
    return rc;
}

/* ---- as JSON ---- */

static int put(cJSON *o, const char *name, double v)
{
    return put_number(o, name, v, NULL, NULL);
}

static int put_words(cJSON *o, const char *name, const char *text)
{
    return put_text(o, name, text, "none", NULL);
}

static int put_gain(cJSON *to, const char *name, const struct prediction *g)
{
    static const char *const states[] = {"predicted", "bound", "refused"};
    cJSON *o = put_object(to, name);

    if (!o)
        return -1;
    return put_words(o, "state", states[g->state]) | put(o, "low", g->low) |
           put(o, "middle", g->gain) | put(o, "high", g->high) | put(o, "step_seconds", g->step) |
           put_bool(o, "untested", g->untested) | put_bool(o, "beyond", g->beyond) |
           put_words(o, "why", g->why);
}

/* Of a change of batch or nodes. */
static int put_quality(cJSON *to, const struct what *w, const struct quality *q)
{
    static const char *const states[] = {"refused", "predicted", "bound", "never"};
    cJSON *o = quality_differs(w->kind) ? put_object(to, "quality") : NULL;

    if (!o)
        return quality_differs(w->kind) ? -1 : 0;
    return put_words(o, "state", states[q->state]) | put(o, "low", q->low) |
           put(o, "middle", q->gain) | put(o, "high", q->high) | put(o, "epochs", q->epochs) |
           put_words(o, "why", q->why);
}

static int put_what(cJSON *o, const struct what *w)
{
    return put_words(o, "what", w->kind < WHAT_COUNT ? what_row(w->kind)->name : "") |
           put(o, "factor", w->factor);
}

static int put_replay(cJSON *to, const struct replay *r)
{
    cJSON *o = put_object(to, "replay");

    if (!o)
        return -1;
    return put(o, "measured_seconds", r->measured) | put(o, "played_seconds", r->played) |
           put(o, "error", r->error) | put(o, "held_out", r->held_out) | put(o, "drift", r->drift);
}

static cJSON *add_row(cJSON *list)
{
    cJSON *o = cJSON_CreateObject();

    if (o && cJSON_AddItemToArray(list, o))
        return o;
    cJSON_Delete(o);
    return NULL;
}

static int put_free(cJSON *to, const struct advice *a)
{
    cJSON *list = put_array(to, "free");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < a->n_free; i++) {
        cJSON *o = add_row(list);
        rc = !o ? -1
                : put_what(o, &a->free[i].what) | put_bool(o, "taken", a->free[i].taken) |
                      put_gain(o, "gain", &a->free[i].gain) |
                      put_quality(o, &a->free[i].what, &a->free[i].quality);
    }
    if (rc == 0 && a->n_taken)
        rc = put_gain(to, "together", &a->together);
    return rc;
}

static int put_buy(cJSON *o, const struct advice_buy *b, bool prices)
{
    static const char *const worth[] = {"", "worth it", "not worth it", "undecided"};
    int rc = put_words(o, "name", b->name) | put_what(o, &b->what);

    if (b->known)
        rc |= put_gain(o, "gain", &b->gain) | put_quality(o, &b->what, &b->quality);
    if (!prices)
        return rc;
    rc |= put(o, "price", b->price) | put(o, "saved_low", b->saved_low) |
          put(o, "saved_high", b->saved_high) | put(o, "percent_per_1000", b->gain_per_1000) |
          put_words(o, "worth", worth[b->worth]) | put_bool(o, "advised", b->advised);
    cJSON *rival = isfinite(b->rival_nodes) ? put_object(o, "rival") : NULL;
    if (rival)
        rc |= put(rival, "nodes", b->rival_nodes) | put_gain(rival, "gain", &b->rival);
    return rc;
}

static int put_buys(cJSON *to, const struct subject *s)
{
    cJSON *list = put_array(to, "purchases");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < s->advice.n_buys; i++) {
        cJSON *o = add_row(list);
        rc = o ? put_buy(o, &s->advice.buy[i], s->prices != NULL) : -1;
    }
    return rc;
}

static int put_asked(cJSON *to, const struct subject *s)
{
    cJSON *list = put_array(to, "asked");
    int rc = list ? 0 : -1;

    for (int i = 0; rc == 0 && i < s->n_asked; i++) {
        cJSON *o = add_row(list);
        rc = o ? put_what(o, &s->asked[i].what) | put_gain(o, "gain", &s->asked[i].gain) |
                     put_quality(o, &s->asked[i].what, &s->asked[i].quality)
               : -1;
    }
    return rc;
}

static int put_money(cJSON *to, const struct subject *s)
{
    cJSON *o = s->prices ? put_object(to, "money") : NULL;

    if (!o)
        return s->prices ? -1 : 0;
    return put_words(o, "currency", s->prices->currency) | put_words(o, "as_of", s->prices->as_of) |
           put_bool(o, "expired", s->expired) | put(o, "node_hour", s->node_hour) |
           put(o, "run", s->run_price) | put(o, "quality", s->quality_price) |
           put(o, "mix", s->advice.mix);
}

static int put_subject(cJSON *list, const struct subject *s)
{
    cJSON *o = add_row(list);

    if (!o)
        return -1;
    int rc = put_words(o, "name", s->name) | put_words(o, "class", s->size) |
             put(o, "nodes", s->nodes) | put_words(o, "why", s->why) | put_money(o, s);
    if (s->why[0])
        return rc;
    return rc | put_replay(o, &s->advice.replay) | put_bool(o, "shared_cores", s->advice.shared) |
           put_free(o, &s->advice) | put_buys(o, s) | put_asked(o, s);
}

char *buy_json(const struct subject *s, int n, struct err *e)
{
    cJSON *doc = cJSON_CreateObject(), *list = NULL;
    int rc = -1;

    if (doc)
        rc = put_words(doc, "schema", "hpcai500/buy") | put_words(doc, "schema_version", "1.0") |
             put_words(doc, "id", n ? s[0].id : "");
    if (rc == 0 && !(list = put_array(doc, "workloads")))
        rc = -1;
    for (int i = 0; rc == 0 && i < n; i++)
        rc = put_subject(list, &s[i]);
    char *text = rc == 0 ? cJSON_Print(doc) : NULL;
    cJSON_Delete(doc);
    if (!text)
        err_set(e, "out of memory");
    return text;
}
