/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/text.h"
#include "workloads/component/harness_say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the rate is multiplied by for another batch (harness.h). */
static double scale_of(const struct recipe *r, long batch)
{
    const double times = (double)batch / (double)r->batch;

    return r->optimizer.kind == OPTIMIZER_SGD ? times : sqrt(times);
}

struct schedule say_schedule(const struct recipe *r, const struct workload_plan *plan)
{
    const double stretch = (double)plan->epochs / r->epochs;
    struct schedule s = r->schedule;

    s.base = r->schedule.base * scale_of(r, plan->batch);
    s.warmup_epochs *= stretch;
    s.epochs *= stretch;
    for (int i = 0; i < s.n_decays; i++)
        s.decays[i].epoch *= stretch;
    return s;
}

static void say_optimizer(char *t, size_t size, const struct optimizer *o)
{
    static const char *const names[OPTIMIZER_COUNT] = {"sgd", "adam", "adamw", "rmsprop", "lamb"};

    text_add(t, size, "%s", names[o->kind]);
    if (o->momentum > 0)
        text_add(t, size, " momentum=%g", (double)o->momentum);
    if (o->beta[0] > 0)
        text_add(t, size, " beta1=%g", (double)o->beta[0]);
    if (o->beta[1] > 0)
        text_add(t, size, " beta2=%g", (double)o->beta[1]);
    if (o->weight_decay > 0)
        text_add(t, size, " weight_decay=%g", (double)o->weight_decay);
    if (o->clip > 0)
        text_add(t, size, " clip=%g", (double)o->clip);
}

/* The recipe as it will be run, for layer 8 of the system description. */
static void say_recipe(struct workload_result *w, const struct recipe *r, const struct schedule *s,
                       const struct workload_plan *plan)
{
    static const char *const kinds[] = {"", " schedule=polynomial", " schedule=cosine"};
    char *t = w->hyper_parameters;
    const size_t size = sizeof w->hyper_parameters;

    t[0] = '\0';
    say_optimizer(t, size, &r->optimizer);
    text_add(t, size, " lr=%g warmup_epochs=%g%s", s->base, s->warmup_epochs, kinds[s->kind]);
    for (int i = 0; i < s->n_decays; i++)
        text_add(t, size, " decay%d=%gx@%g", i + 1, s->decays[i].factor, s->decays[i].epoch);
    if (r->model)
        text_add(t, size, " model=%s", r->model);
    text_add(t, size, " %s augment=%s epochs=%d", r->notes, r->augment ? "yes" : "no",
             plan->epochs);
}

void say_run(struct workload_result *w, const struct component *c, const struct recipe *r,
             const struct schedule *s, const struct runspec *spec, const struct workload_plan *plan,
             const struct workload_host *host)
{
    snprintf(w->name, sizeof w->name, "%s", c->name);
    snprintf(w->suite, sizeof w->suite, "component");
    snprintf(w->class_name, sizeof w->class_name, "%s", runspec_class_name(plan->class));
    snprintf(w->engine, sizeof w->engine, "%s",
             spec->engine == ENGINE_AUTO ? engine_backend_name(0)
                                         : runspec_engine_name(spec->engine));
    snprintf(w->dtype, sizeof w->dtype, "%s", runspec_dtype_name(spec->dtype));
    snprintf(w->data_path, sizeof w->data_path, "%s", plan->data_path);
    snprintf(w->metric, sizeof w->metric, "%s", c->metric);
    w->higher_is_better = c->higher_is_better;
    w->ranks = host->comm->size;
    w->threads = host->threads;
    w->batch = plan->batch;
    w->target = plan->target;
    w->status = RUN_PARTIAL;
    w->rcp = r->rcp;
    if (c->tokens)
        w->tokens_per_sample = (double)c->tokens(r, science_class(c->science, plan->class));
    w->baseline = NAN;
    w->baseline_domain = w->achieved = w->samples_per_second = w->flop_per_second = w->vflops_n5 =
        w->vflops_n10 = w->time_to_quality_seconds = unmeasured("the run ended before training");
    say_recipe(w, r, s, plan);
}

static const char *origin_of(const struct dataset_info *d, const struct runspec *spec)
{
    if (d->generated)
        return "generated";
    switch (spec->division) {
    case DIVISION_PRIVATE:
        return "private";
    case DIVISION_LOOK_ALIKE:
        return "look-alike";
    default:
        return "published";
    }
}

void say_data(struct workload_result *w, const struct component *c, struct dataset *const data[2],
              const struct runspec *spec)
{
    const struct dataset_info *train = dataset_info(data[DATASET_TRAIN]);

    snprintf(w->data_origin, sizeof w->data_origin, "%s", origin_of(train, spec));
    snprintf(w->data_manifest_sha256, sizeof w->data_manifest_sha256, "%s", train->manifest_sha256);
    w->train_samples = train->samples;
    w->eval_samples = dataset_info(data[DATASET_VALIDATION])->samples;
    w->sample_bytes = train->stored_bytes;
    w->baseline_domain = train->baseline[c->domain];
    snprintf(w->baseline_domain_name, sizeof w->baseline_domain_name, "%s", c->domain_title);
}

void say_network(struct workload_result *w, const struct net *n)
{
    const struct engine_flop flop = graph_flop(n->graph);

    w->parameters = model_parameters(n->model, -1);
    w->flop_per_sample = flop.executed;
    w->flop_per_sample_3x = flop.three_forward;
    w->arena_bytes = model_memory(n->model).total_bytes;
}

void say_loader(struct result_rank *rank, struct loader *l, const struct loader_stats *begun)
{
    const double steps = (double)rank->steps;
    struct loader_stats s;

    if (rank->steps == 0)
        return;
    loader_stats(l, &s);
    rank->read_seconds = (s.read.seconds - begun->read.seconds) / steps;
    rank->inflate_seconds = (s.inflate.seconds - begun->inflate.seconds) / steps;
    rank->convert_seconds = (s.convert.seconds - begun->convert.seconds) / steps;
    rank->produce_seconds = rank->read_seconds + rank->inflate_seconds + rank->convert_seconds;
    rank->read_cpu_seconds = (s.read.cpu_seconds - begun->read.cpu_seconds) / steps;
    rank->find_seconds = (s.find_seconds - begun->find_seconds) / steps;
    rank->read_gain = loader_gain(begun, &s);
    rank->inflate_cpu_seconds = (s.inflate.cpu_seconds - begun->inflate.cpu_seconds) / steps;
    rank->convert_cpu_seconds = (s.convert.cpu_seconds - begun->convert.cpu_seconds) / steps;
    rank->file_bytes = (double)(s.read_bytes - begun->read_bytes);
    rank->memory_bytes = (double)(s.kept_bytes - begun->kept_bytes);
    rank->ready = (double)(s.ready - begun->ready) / steps;
    rank->keeping = s.keeping;
}

void say_use(struct workload_result *w)
{
    const double peak = w->ranks * w->yardstick.peak;

    if (w->samples_per_second.reason || w->flop_per_second.reason)
        return;
    w->tokens_per_second = w->tokens_per_sample * w->samples_per_second.value;
    if (peak > 0)
        w->mfu = w->flop_per_second.value / peak;
}
