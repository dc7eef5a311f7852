/* SPDX-License-Identifier: BSD-3-Clause */
/* What limited a workload's steps, on the screen. */
#include <config.h>

#include "reports/tools/show_why.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/diagnose/cause.h"
#include "reports/record/fields.h"
#include "reports/tools/show_text.h"

static void show_path(const cJSON *path, double period)
{
    const double met = show_number(path, "met_seconds"); /* of wire */
    const cJSON *part;

    show_line("    slowest path of %.0f steps, a mean step of %s:", show_number(path, "steps"),
              show_duration(period).text);
    cJSON_ArrayForEach(part, path)
    {
        if (!cJSON_IsNumber(part) || !strstr(part->string, "_seconds") ||
            strcmp(part->string, "period_seconds") == 0 || strcmp(part->string, "met_seconds") == 0)
            continue;
        show_line("      %-24.*s %10s %5.1f %%",
                  (int)(strstr(part->string, "_seconds") - part->string), part->string,
                  show_duration(part->valuedouble).text, 100 * part->valuedouble / period);
        if (strcmp(part->string, "wire_seconds") == 0 && met > 0)
            show_line("      %-24s %10s %5.1f %%", "  batch norm's sums", show_duration(met).text,
                      100 * met / period);
    }
}

/* "118 MB/s (98 to 103 %)" */
static struct shown rate_of(const cJSON *o)
{
    const double v = show_number(o, "rate_bytes_per_second");
    const double high = show_number(o, "rate_high_bytes_per_second") / v;
    struct shown s;

    if (!(high <= 10)) { /* both messages may have taken the same time */
        snprintf(s.text, sizeof s.text, "%.16s (%.0f %% and more)", show_si(v, "B/s").text,
                 100 * show_number(o, "rate_low_bytes_per_second") / v);
        return s;
    }
    snprintf(s.text, sizeof s.text, "%.16s (%.0f to %.0f %%)", show_si(v, "B/s").text,
             100 * show_number(o, "rate_low_bytes_per_second") / v, 100 * high);
    return s;
}

static void show_transport(const cJSON *t)
{
    const cJSON *link = json_at(t, "links[0]");

    if (!cJSON_IsObject(t))
        return;
    show_line("    transport, %.0f rounds: a message %.0f us (%.0f to %.0f), a phase's software",
              show_number(t, "rounds"), 1e6 * show_number(t, "alpha_seconds"),
              1e6 * show_number(t, "alpha_low_seconds"),
              1e6 * show_number(t, "alpha_high_seconds"));
    show_line("      %.0f us (%.0f to %.0f), bytes at %s", 1e6 * show_number(t, "software_seconds"),
              1e6 * show_number(t, "software_low_seconds"),
              1e6 * show_number(t, "software_high_seconds"), rate_of(t).text);
    if (link)
        show_line("      slowest of %.0f links: %s to %s, %s", show_number(t, "links_measured"),
                  json_text(link, "from", "-"), json_text(link, "to", "-"), rate_of(link).text);
}

/* "3.1 ms (2.9 to 4)" of a time of a message */
static struct shown message_of(const cJSON *o)
{
    const double low = show_number(o, "alpha_low_seconds");
    const double high = show_number(o, "alpha_high_seconds");
    struct shown s;

    if (isfinite(show_number(o, "alpha_seconds")))
        snprintf(s.text, sizeof s.text, "%.0f us (%.0f to %.0f)",
                 1e6 * show_number(o, "alpha_seconds"), 1e6 * low, 1e6 * high);
    else
        snprintf(s.text, sizeof s.text, "at most %.0f us", 1e6 * high);
    return s;
}

static struct shown speed_of(const cJSON *o)
{
    const double low = show_number(o, "rate_low_bytes_per_second");
    struct shown s;

    if (isfinite(show_number(o, "rate_bytes_per_second")))
        return rate_of(o);
    if (!isfinite(low)) /* they take no time that can be seen */
        return show_si(low, "B/s");
    snprintf(s.text, sizeof s.text, "%.16s at least", show_si(low, "B/s").text);
    return s;
}

static void show_training(const cJSON *t)
{
    const cJSON *slowest = json_at(t, "received[0]");

    if (!cJSON_IsObject(t))
        return;
    show_line("    in training, %.0f sums, messages of %.16s to %.16s:", show_number(t, "sums"),
              show_si(show_number(t, "least_bytes"), "B").text,
              show_si(show_number(t, "most_bytes"), "B").text);
    show_line("      a message %s, bytes at %s", message_of(t).text, speed_of(t).text);
    if (slowest && show_number(t, "ranks") > 1)
        show_line("      slowest to rank %.0f on %s, %s", show_number(slowest, "rank"),
                  json_text(slowest, "node", "-"), speed_of(slowest).text);
}

static enum cause cause_of(const cJSON *o, const char *path)
{
    const int cause = cause_find(json_text(o, path, ""));

    return cause < 0 ? CAUSE_UNKNOWN : (enum cause)cause;
}

/* The record's words as a diagnosis again. */
static struct diagnosis diagnosis_of(const cJSON *why, double period)
{
    const cJSON *c;
    struct diagnosis d = {.cause = cause_of(why, "cause"),
                          .confirmed = cJSON_IsTrue(json_at(why, "confirmed")),
                          .period = period,
                          .visible = json_number(why, "visible", 0),
                          .whole = CAUSE_UNKNOWN};

    cJSON_ArrayForEach(c, json_at(why, "causes"))
    {
        if (d.n_of == CAUSE_MOST)
            break;
        struct cause_share *s = &d.of[d.n_of++];
        *s = (struct cause_share){cause_of(c, "cause"), "", json_number(c, "share", 0),
                                  cause_of(c, "suspect")};
        snprintf(s->node, sizeof s->node, "%.*s", CAUSE_NODE_SIZE - 1, json_text(c, "node", ""));
    }
    return d;
}

static void show_clocks(const cJSON *c)
{
    show_line("    clocks compared by %s, +- %s", json_text(c, "method", "nothing"),
              show_duration(show_number(c, "bound_seconds")).text);
    if (show_number(c, "wire_error_seconds") >= 0)
        show_line("      wire +- %.0f us by them; without clocks it is %s",
                  1e6 * show_number(c, "wire_error_seconds"),
                  show_duration(show_number(c, "least_wait_seconds")).text);
}

/* What was measured besides: steps that lacked something. */
static void show_witnesses(const cJSON *w, bool confirmed)
{
    const cJSON *arm;

    show_line("    witnesses: the steps' parts%s",
              confirmed ? ", and an ablation that agrees" : " alone, so it is not confirmed");
    cJSON_ArrayForEach(arm, json_at(w, "ablation.arms"))
    {
        char name[32];
        snprintf(name, sizeof name, "%.31s", json_text(arm, "name", "base"));
        if (strcmp(name, "base") == 0 || !isfinite(show_number(arm, "gain")))
            continue;
        for (char *c = name; (c = strchr(c, '_'));)
            *c = ' ';
        show_line("      %s: %.0f %% shorter (%.0f to %.0f)%s", name,
                  100 * show_number(arm, "gain"), 100 * show_number(arm, "low"),
                  100 * show_number(arm, "high"),
                  cJSON_IsTrue(json_at(arm, "noisy")) ? "; noise hides it" : "");
    }
}

void show_why(const cJSON *w, bool all)
{
    const cJSON *why = json_at(w, "why"), *path = json_at(w, "path");
    const double period = show_number(path, "period_seconds");
    char change[CAUSE_TEXT_SIZE];

    if (!cJSON_IsObject(why))
        return;
    show_wrapped("  limit       ", json_text(why, "verdict", "-"), 14);
    show_wrapped("    why       ", json_text(why, "why", "-"), 14);
    show_wrapped("    next      ", json_text(why, "next", "-"), 14);
    if (!all || !(period > 0))
        return;
    show_path(path, period);
    show_clocks(json_at(w, "clock"));
    show_transport(json_at(w, "transport"));
    show_training(json_at(w, "transport_in_training"));
    if (isfinite(show_number(w, "roofline.memory_low")))
        show_line("    memory binds %.0f to %.0f %% of the operators' time",
                  100 * show_number(w, "roofline.memory_low"),
                  100 * show_number(w, "roofline.memory_high"));
    show_witnesses(w, cJSON_IsTrue(json_at(why, "confirmed")));
    const struct diagnosis d = diagnosis_of(why, period);
    diagnosis_change(&d, LANGUAGE_EN, change, sizeof change);
    show_wrapped("    change    ", change, 14);
}
