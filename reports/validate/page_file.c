/* SPDX-License-Identifier: BSD-3-Clause */
/* The page for programs: JSON, JUnit's XML. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "reports/draw/xml.h"
#include "reports/record/fields.h"
#include "reports/validate/page.h"

/* ---- JSON ---- */

static int put_verdict(const struct page *p, int i, cJSON *list)
{
    const struct assess_node *n = &p->a->nodes[i];
    cJSON *o = cJSON_CreateObject();
    struct verdict_line v;

    if (!o || !cJSON_AddItemToArray(list, o))
        return -1;
    page_verdict(p, i, &v);
    int rc = put_text(o, "node", v.node, NULL, NULL) | put_text(o, "class", v.class, NULL, NULL) |
             put_text(o, "verdict", v.word, NULL, NULL) |
             put_text(o, "action", action_word(verdict_action(n->verdict)), NULL, NULL) |
             put_bool(o, "gated", n->gated) | put_text(o, "metric", v.metric, NULL, NULL) |
             put_number(o, "loss_percent", n->loss, NULL, NULL) |
             put_number(o, "limit_percent", n->limit, NULL, NULL) |
             put_number(o, "blind_percent", n->blind, NULL, NULL) |
             put_number(o, "value", n->value, NULL, NULL) |
             put_number(o, "like", n->like, NULL, NULL) | put_text(o, "text", n->text, NULL, NULL) |
             put_text(o, "reason", v.reason, NULL, NULL);
    cJSON *rounds = put_array(o, "rounds_percent");
    for (int k = 0; rounds && k < n->rounds; k++)
        cJSON_AddItemToArray(rounds, cJSON_CreateNumber(n->d[k]));
    return rounds ? rc : -1;
}

static int put_action(const struct page *p, int i, cJSON *list)
{
    const struct assess_node *n = &p->a->nodes[i];
    bool drain = verdict_action(n->verdict) == ACTION_ISOLATE;
    bool leave = p->reservation && n->verdict <= VERDICT_TRANSIENT;
    char reason[PAGE_REASON_SIZE] = "";
    cJSON *o;

    if (!drain && !leave)
        return 0;
    if (!(o = cJSON_CreateObject()) || !cJSON_AddItemToArray(list, o))
        return -1;
    if (drain)
        page_reason(n, p->job, reason);
    return put_text(o, "node", n->name, NULL, NULL) |
           put_text(o, "do", drain ? "drain" : "leave", NULL, NULL) |
           put_text(o, "reason", reason, NULL, NULL);
}

static int put_point(const struct assess_group *g, cJSON *list)
{
    cJSON *o = cJSON_CreateObject();

    if (!o || !cJSON_AddItemToArray(list, o))
        return -1;
    return put_text(o, "metric", node_metric_row(g->metric)->name, NULL, NULL) |
           put_text(o, "class", g->class ? g->class : "links", NULL, NULL) |
           put_number(o, "nodes", g->look.n, NULL, NULL) | put_bool(o, "history", g->look.h.known) |
           put_number(o, "runs", g->runs, NULL, NULL) |
           put_number(o, "noise_percent", g->look.s0, NULL, NULL) |
           put_number(o, "blind_percent", assess_blind(g), NULL, NULL) |
           put_number(o, "false_alarms_a_run", JUDGE_FALSE, NULL, NULL);
}

int page_json(const struct page *p, FILE *f)
{
    cJSON *o = cJSON_CreateObject();
    int counts[VERDICT_COUNT];

    page_count(p->a, counts);
    int rc = o ? put_text(o, "hpcai500", "validation 1", NULL, NULL) |
                     put_text(o, "run", p->run, NULL, NULL) |
                     put_text(o, "reservation", p->reservation ? p->reservation : "", NULL, NULL) |
                     put_text(o, "profile", p->profile, NULL, NULL) |
                     put_number(o, "job", (double)p->job, NULL, NULL) |
                     put_text(o, "alarm", alarm_word(verdict_alarm(counts)), NULL, NULL)
               : -1;
    cJSON *verdicts = rc == 0 ? put_array(o, "verdicts") : NULL;
    cJSON *actions = rc == 0 ? put_array(o, "actions") : NULL;
    cJSON *points = rc == 0 ? put_array(o, "operating_point") : NULL;
    for (int i = 0; i < p->a->n && verdicts && actions && rc == 0; i++)
        rc = put_verdict(p, i, verdicts) | put_action(p, i, actions);
    for (int g = 0; g < p->a->n_groups && points && rc == 0; g++)
        rc = put_point(&p->a->groups[g], points);
    char *text = rc == 0 && verdicts && actions && points ? cJSON_Print(o) : NULL;
    if (text)
        fprintf(f, "%s\n", text);
    free(text);
    cJSON_Delete(o);
    return text ? 0 : -1;
}

/* ---- JUnit ---- */

static void test_case(const struct assess_node *n, const char *name, const char *element,
                      const char *text, FILE *f)
{
    fputs("  <testcase classname=\"", f);
    xml_text(f, n->name);
    fprintf(f, "\" name=\"%s\"", name);
    if (!element) {
        fputs("/>\n", f);
        return;
    }
    fprintf(f, "><%s message=\"", element);
    xml_text(f, text);
    fprintf(f, "\"/></testcase>\n");
}

static const char *element_of(enum verdict v)
{
    return v == VERDICT_SLOW || v == VERDICT_FAULTY ? "failure"
           : v == VERDICT_UNKNOWN                   ? "error"
           : v == VERDICT_INCONCLUSIVE              ? "skipped"
                                                    : NULL;
}

void page_junit(const struct page *p, FILE *f)
{
    const struct assess *a = p->a;

    fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"hpcai500 validate ");
    xml_text(f, p->run);
    fputs("\">\n", f);
    for (int i = 0; i < a->n; i++) {
        const struct assess_node *n = &a->nodes[i];
        char text[PAGE_REASON_SIZE];
        page_reason(n, p->job, text);
        for (int m = 0; m < NODE_METRICS; m++)
            if (n->lines[0] && isfinite(n->lines[0]->values[m].value))
                test_case(n, node_metric_row(m)->name,
                          n->metric == m ? element_of(n->verdict) : NULL, text, f);
        test_case(n, "node", n->metric < 0 ? element_of(n->verdict) : NULL, text, f);
    }
    fputs("</testsuite>\n", f);
}
