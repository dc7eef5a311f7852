/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/plan.h"

static const double rewrite_seconds = 0.2;

void progress_init(struct progress *p, bool speaks, bool verbose, int rank)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    memset(p, 0, sizeof *p);
    p->on = speaks;
    p->rank = verbose ? rank : -1;
    p->terminal = !verbose && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    p->color = p->terminal && !(no_color && *no_color);
}

void progress_clear(struct progress *p)
{
    if (p->on && p->terminal && p->width > 0)
        fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}

void progress_say(struct progress *p, const char *sentence)
{
    if (!p->on)
        return;
    progress_clear(p);
    if (p->rank >= 0)
        fprintf(stderr, "hpcai500-agent: rank %d: %s\n", p->rank, sentence);
    else
        fprintf(stderr, "hpcai500-agent: %s\n", sentence);
}

void progress_workload(struct progress *p, const char *name)
{
    snprintf(p->workload, sizeof p->workload, "%s", name);
    memset(p->phase_said, 0, sizeof p->phase_said);
    p->now = (struct workload_progress){.loss = NAN, .quality = NAN, .eta_seconds = NAN};
}

void progress_phase(struct progress *p, enum phase phase)
{
    static const char *const words[PHASE_COUNT] = {
        [PHASE_STAGING] = "finding data, preparing the network",
        [PHASE_FIRST_EPOCH] = "first epoch",
        [PHASE_COMPUTE] = "training",
    };
    char text[96];

    p->now.phase = phase;
    if (p->terminal || !words[phase] || p->phase_said[phase])
        return;
    p->phase_said[phase] = true;
    snprintf(text, sizeof text, "%s: %s", p->workload, words[phase]);
    progress_say(p, text);
}

/* "loss 0.1234, 0.31 of target 0.25" as far as there are any. */
static int put_figures(char *text, size_t size, double loss, double quality, double target)
{
    int n = 0;

    if (!isnan(loss))
        n = snprintf(text, size, ", loss %.4g", loss);
    if (!isnan(quality))
        n += snprintf(text + n, size - (size_t)n, ", quality %.4g (target %.4g)", quality, target);
    return n;
}

void progress_update(struct progress *p, const struct workload_progress *now, double clock)
{
    char text[256], eta[32];

    p->now = *now;
    if (!p->on || !p->terminal || clock - p->last < rewrite_seconds)
        return;
    p->last = clock;
    size_t size = sizeof text;
    int n = snprintf(text, size, "%s epoch %d/%d step %ld/%ld", p->workload, now->epoch,
                     now->epochs, now->step, now->steps);
    n += put_figures(text + n, size - (size_t)n, now->loss, now->quality, now->target);
    n += snprintf(text + n, size - (size_t)n, ", %.4g samples/s", now->samples_per_second);
    if (!isnan(now->eta_seconds))
        n += snprintf(text + n, size - (size_t)n, ", %s left", plan_seconds(eta, now->eta_seconds));
    fprintf(stderr, p->color ? "\r\033[36m%s\033[0m%*s" : "\r%s%*s", text,
            p->width > n ? p->width - n : 0, "");
    p->width = n;
}

void progress_epoch(struct progress *p, const struct result_epoch *row)
{
    char text[256];

    if (!p->on || p->terminal)
        return;
    int n = snprintf(text, sizeof text, "%s: epoch %d", p->workload, row->epoch);
    n += put_figures(text + n, sizeof text - (size_t)n, row->train_loss, row->quality,
                     p->now.target);
    snprintf(text + n, sizeof text - (size_t)n, ", %.1f s", row->seconds);
    progress_say(p, text);
}
