/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/why.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/diagnose/ablation.h"
#include "reports/diagnose/cause.h"
#include "reports/diagnose/roofline_judge.h"

/* ---- the nodes ---- */

/* Adds a rank to the sums of its node. */
static void add_rank(struct cause_node *n, const struct record_rank *rank)
{
    const struct result_rank *s = &rank->steady;
    const double *p = rank->phase_seconds, steps = (double)s->steps;
    const double quota = isfinite(rank->throttled_seconds) ? rank->throttled_seconds : 0;

    n->ranks++;
    n->compute += (p[PHASE_COMPUTE] + p[PHASE_UPDATE]) / steps;
    n->withheld += p[PHASE_WITHHELD] / steps;
    n->quota += fmin(quota, p[PHASE_WITHHELD]) / steps;
    n->late += s->late_seconds;
    n->last += s->last;
    n->produce += s->produce_seconds;
    n->half += s->half_seconds;
    n->compute_error += s->compute_error;
    n->withheld_error += s->withheld_error;
}

/* Sums become means over the node's ranks; how often one was last stays a sum. */
static void close_node(struct cause_node *n)
{
    double *const means[] = {&n->compute, &n->withheld, &n->quota,         &n->late,
                             &n->produce, &n->half,     &n->compute_error, &n->withheld_error};

    for (size_t i = 0; i < sizeof means / sizeof *means; i++)
        *means[i] /= n->ranks;
}

/* Nodes that have ranks with a steady state; how many. */
static int fill_nodes(const struct record *r, const struct record_workload *w,
                      struct cause_node *nodes)
{
    int n = 0;

    for (int i = 0; i < r->n_nodes; i++)
        nodes[i].name = r->nodes[i].name;
    for (int k = 0; k < w->n_ranks; k++) {
        const int node = w->ranks[k].node;
        if (node >= 0 && node < r->n_nodes && w->ranks[k].steady.steps > 0)
            add_rank(&nodes[node], &w->ranks[k]);
    }
    for (int i = 0; i < r->n_nodes; i++)
        if (nodes[i].ranks > 0) {
            close_node(&nodes[i]);
            nodes[n++] = nodes[i];
        }
    return n;
}

/* ---- the rest of the case ---- */

static void fill_loader(const struct record_workload *w, const struct why_host *host,
                        struct cause_loader *l)
{
    const double samples = (double)w->result.train_samples, batch = (double)w->result.batch;
    const double steps = batch > 0 ? ceil(samples / batch) : 0; /* of an epoch */
    double read = 0, read_cpu = 0, find = 0, decode = 0, bytes = 0, epochs = 0, gain = 0;
    int told = 0;

    for (int k = 0; k < w->n_ranks; k++) {
        read += w->ranks[k].steady.read_seconds / w->n_ranks;
        decode +=
            (w->ranks[k].steady.inflate_seconds + w->ranks[k].steady.convert_seconds) / w->n_ranks;
        read_cpu += w->ranks[k].steady.read_cpu_seconds / w->n_ranks;
        find += w->ranks[k].steady.find_seconds / w->n_ranks;
        if (w->ranks[k].steady.read_gain > 0) {
            gain += w->ranks[k].steady.read_gain;
            told++;
        }
        bytes += w->ranks[k].steady.file_bytes;
        l->keeping |= w->ranks[k].steady.keeping;
        if (steps > 0)
            epochs = fmax(epochs, (double)w->ranks[k].steady.steps / steps);
    }
    l->read = read;
    l->read_cpu = read_cpu;
    l->find = find;
    l->grows = told > 0 ? gain / told : NAN;
    l->epoch_bytes = samples * (double)w->result.sample_bytes;
    l->node_memory = host->node_memory > 0 ? host->node_memory : NAN;
    l->limit = host->node_memory > 0 ? fmax(0, host->left) : NAN;
    l->decode = decode;
    l->file_bytes = bytes / fmax(1, epochs); /* after a resume, too: n_epochs has those before */
}

static void fill_whole(const struct record_workload *w, struct cause_whole *whole)
{
    for (int k = 0; k < w->n_ranks; k++) {
        const double *p = w->ranks[k].phase_seconds;
        whole->wall = fmax(whole->wall, w->ranks[k].wall_seconds);
        whole->staging = fmax(whole->staging, p[PHASE_STAGING]);
        whole->evaluation = fmax(whole->evaluation, p[PHASE_EVALUATION]);
        whole->checkpoint = fmax(whole->checkpoint, p[PHASE_CHECKPOINT]);
        whole->training = fmax(whole->training, w->ranks[k].wall_seconds - p[PHASE_STAGING] -
                                                    p[PHASE_EVALUATION] - p[PHASE_CHECKPOINT]);
    }
}

/* ---- steps that lacked something ---- */

/* A gain that noise hides names nothing. */
static double told(const struct ablation *a, enum ablation_arm_kind k)
{
    return a->arm[k].made && !a->arm[k].noisy ? fmax(0, a->arm[k].gain) : NAN;
}

static void fill_ablation(const struct workload_result *r, struct cause_ablation *c,
                          struct record_ablation *out)
{
    static const char *const names[] = {
#define ARM(symbol, name, rebuild, title) #name,
#include "reports/core/ablation.def"
    };
    struct ablation a;

    ablation_judge(&r->ablation, &a);
    *out = (struct record_ablation){
        .rounds = a.rounds, .dropped = a.dropped, .steps = r->ablation.steps};
    if (a.why)
        snprintf(out->reason, sizeof out->reason, "%s",
                 r->ablation.reason[0] ? r->ablation.reason
                 : a.rounds            ? a.why
                                       : "");
    for (int i = 0; i < ARM_COUNT; i++) {
        if (!a.arm[i].made)
            continue;
        struct record_arm *arm = &out->arms[out->n_arms++];
        *arm = (struct record_arm){.gain = a.arm[i].gain,
                                   .low = a.arm[i].low,
                                   .high = a.arm[i].high,
                                   .noisy = a.arm[i].noisy};
        snprintf(arm->name, sizeof arm->name, "%s", names[i]);
    }
    c->network = told(&a, ARM_EMPTY);
    c->input = told(&a, ARM_MEMORY);
    c->both = told(&a, ARM_FREE);
}

/* What of backward the exchange had to hide behind: not the sums over the ranks inside the
 * network, forward's among them, which are a wait themselves. */
static void fill_overlap(const struct record_workload *w, struct cause_exchange *x)
{
    const struct workload_result *r = &w->result;
    double lead = 0, backward = 0;
    int told = 0;

    for (int k = 0; k < w->n_ranks; k++)
        if (w->ranks[k].steady.lead_seconds >= 0) {
            lead += w->ranks[k].steady.lead_seconds;
            told++;
        }
    for (int i = 0; i < r->profile.n_operators; i++)
        if (strcmp(r->operators[i].pass, "forward") != 0 &&
            strcmp(r->operators[i].pass, "stats") != 0 &&
            strcmp(r->operators[i].pass, "reduce") != 0)
            backward += r->operators[i].seconds;
    if (told > 0 && r->profile.steps > 0) {
        x->lead = lead / told;
        x->backward = backward / (double)r->profile.steps;
    }
}

static const double mostly_messages = 0.5, mostly_bytes = 0.7;

/* By the transport's test. */
static void fill_tested(const struct record_workload *w, struct cause_exchange *x)
{
    const struct result_transport *t = &w->result.transport;
    const struct result_sum *s = &t->sum[RESULT_SUMS - 1];
    const double ranks = w->result.ranks, others = ranks - 1;

    if (t->rounds == 0 || t->n_links == 0)
        return;
    const double part = others / (s->phases == 2 ? ranks : 1); /* of what is summed, a phase */
    const double sent = part * s->bytes;
    if (w->result.profile.steps > 0)
        x->flow = s->phases * part * (double)w->result.profile.exchanged_bytes /
                  (double)w->result.profile.steps / t->link[0].rate.high /
                  w->result.path.wire_seconds;
    const double messages = s->phases * others * t->alpha.low / s->seconds.high;
    const double busy = s->phases * sent / t->link[0].rate.high / s->seconds.high;
    if (messages >= mostly_messages)
        x->intercept = fmin(1, messages);
    if (busy >= mostly_bytes)
        x->slope = x->busy = fmin(1, busy);
}

/* Least part of a bucket's first half that was bytes while it trained, on the rank that
 * received slowest; NAN: not told. */
static double bytes_in_training(const struct record_workload *w)
{
    double slowest = INFINITY, part = NAN;

    for (int k = 0; k < w->n_ranks; k++) {
        const struct result_wire *own = &w->ranks[k].steady.wire;
        const double bytes = own->most_bytes / own->rate.high;
        if (own->sums == 0 || !(own->rate.high > 0) || !(own->rate.value < slowest))
            continue;
        slowest = own->rate.value;
        part = bytes / (bytes + own->alpha.high);
    }
    return part;
}

/* How much of a bucket's sum is messages, how much bytes on the slowest link: said only
 * where the whole interval says so, that of the test or, where that is too wide, the
 * training's own. Of the training bytes alone are taken: a message's time has there what a
 * sender that computes lets wait, which latency is not. That a link is idle is not said:
 * while training the ranks do not come together as they do in the test. */
static void fill_exchange(const struct record_workload *w, struct cause_exchange *x)
{
    fill_overlap(w, x);
    x->met = w->result.path.met_seconds / w->result.path.wire_seconds;
    fill_tested(w, x);
    const double bytes = bytes_in_training(w);
    if (!isfinite(x->slope) && bytes >= mostly_bytes)
        x->slope = x->busy = bytes;
}

static void fill_case(const struct record_workload *w, const struct why_host *host,
                      const struct memory_bound *memory, struct cause_case *c)
{
    const struct result_path *path = &w->result.path;

    c->steps = path->steps;
    c->period = path->steps ? path->period_seconds : NAN;
    c->wire = path->wire_seconds;
    c->exchange_cpu = path->exchange_cpu_seconds;
    c->input = path->input_seconds;
    c->computed = path->compute_seconds;
    c->withheld = path->withheld_seconds;
    c->compute.cores = host->cores;
    c->compute.threads = host->threads;
    c->compute.memory = memory->low;
    c->compute.kernels = memory->slow;
    fill_loader(w, host, &c->loader);
    fill_exchange(w, &c->exchange);
    fill_whole(w, &c->whole);
}

/* ---- into the record ---- */

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%.*s", (int)size - 1, from);
}

static void keep(const struct diagnosis *d, struct record_why *why)
{
    *why = (struct record_why){
        .confirmed = d->confirmed,
        .visible = isfinite(d->period) ? d->visible : NAN,
        .jitter = isfinite(d->period) ? fmin(d->jitter, 1) : NAN,
        .foreign = isfinite(d->period) ? fmin(d->foreign, 1) : NAN,
        .n_causes = d->n_of < RECORD_MAX_CAUSES ? d->n_of : RECORD_MAX_CAUSES,
    };
    copy(why->cause, sizeof why->cause, cause_name(d->cause));
    copy(why->node, sizeof why->node, d->node);
    if (d->whole != CAUSE_UNKNOWN)
        copy(why->whole, sizeof why->whole, cause_name(d->whole));
    diagnosis_verdict(d, LANGUAGE_EN, why->verdict, sizeof why->verdict);
    diagnosis_why(d, LANGUAGE_EN, why->reason, sizeof why->reason);
    diagnosis_next(d, LANGUAGE_EN, why->next, sizeof why->next);
    for (int i = 0; i < why->n_causes; i++) {
        struct record_cause *c = &why->causes[i];
        c->share = fmin(d->of[i].share, 1);
        copy(c->cause, sizeof c->cause, cause_name(d->of[i].cause));
        copy(c->node, sizeof c->node, d->of[i].node);
        if (d->of[i].suspect != CAUSE_UNKNOWN)
            copy(c->suspect, sizeof c->suspect, cause_name(d->of[i].suspect));
    }
}

int why_find(struct record *r, int workload, const struct why_host *host)
{
    struct record_workload *w = &r->workloads[workload];
    const struct memory_bound memory = roofline_memory(r, workload);
    struct cause_node *nodes = calloc((size_t)r->n_nodes + 1, sizeof *nodes);
    struct cause_case c;
    struct diagnosis d;

    if (!nodes)
        return -1;
    cause_case_init(&c);
    c.nodes = nodes;
    c.n_nodes = fill_nodes(r, w, nodes);
    fill_case(w, host, &memory, &c);
    fill_ablation(&w->result, &c.ablation, &w->ablation);
    diagnose(&c, &d);
    keep(&d, &w->why);
    free(nodes);
    return 0;
}
