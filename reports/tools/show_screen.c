/* SPDX-License-Identifier: BSD-3-Clause */
/* A record on one screen. */
#include <config.h>

#include "reports/tools/show_screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/result.h"
#include "reports/core/text.h"
#include "reports/record/fields.h"
#include "reports/tools/show_phases.h"
#include "reports/tools/show_text.h"
#include "reports/tools/show_verdict.h"
#include "reports/tools/show_why.h"

static void headline(const cJSON *doc, bool coloured)
{
    const char *id = json_text(doc, "id", "?"), *status = json_text(doc, "status", "?");
    bool valid = cJSON_IsTrue(json_at(doc, "valid"));
    char verdict[64];
    int colour = strcmp(status, "complete") != 0 ? 33 : valid ? 32 : 31;

    snprintf(verdict, sizeof verdict, "%.24s, %s", status, valid ? "valid" : "not valid");
    show_whole(verdict);
    int gap = SHOW_WIDTH - 10 - show_columns(id) - show_columns(verdict);
    printf("hpcai500  %s%*s", id, gap > 1 ? gap : 1, "");
    if (coloured)
        printf("\033[1;%dm%s\033[0m\n", colour, verdict);
    else
        puts(verdict);
}

/* The text that was asked for is shown whole. */
static void show_run(const cJSON *doc)
{
    const char *level = json_text(doc, "run.level", NULL);
    double seed = show_number(doc, "run.seed");
    char claim[80] = "";

    if (level)
        snprintf(claim, sizeof claim, ", level %.32s", level);
    show_wrapped("  ", json_text(doc, "run.text", "?"), 4);
    show_line("  division %s%s, rules %s, seed %.*g", json_text(doc, "run.division", "?"), claim,
              json_text(doc, "run.rules_version", "?"), seed < 9007199254740992 ? 16 : 6,
              seed); /* beyond 2^53 JSON readers round */
}

/* "n1 n2 n3 and 61 more" */
static void name_nodes(const cJSON *doc, char *text, size_t size)
{
    const cJSON *nodes = json_at(doc, "system.nodes");
    double total = json_number(doc, "system.node_count", 0);
    const cJSON *node;
    size_t used = 0;
    int shown = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(node, nodes)
    {
        if (shown == 4 || used >= size)
            break;
        int n = snprintf(text + used, size - used, "%s%.20s", shown++ ? " " : "",
                         json_text(node, "name", "?"));
        used += n > 0 ? (size_t)n : 0;
    }
    if (total > shown && used < size)
        snprintf(text + used, size - used, " and %.0f more", total - shown);
}

static void show_job(const cJSON *doc)
{
    const cJSON *job = json_at(doc, "job"), *exclusive = json_at(job, "exclusive");
    char nodes[128], start[32];

    name_nodes(doc, nodes, sizeof nodes);
    snprintf(start, sizeof start, "%.19s", json_text(doc, "time.start", "?"));
    if (strlen(start) > 10)
        start[10] = ' ';
    if (cJSON_IsObject(job))
        show_line("  %s on %s, partition %s, %s: %s", json_text(job, "user", "?"),
                  json_text(job, "cluster", "?"), json_text(job, "partition", "-"),
                  cJSON_IsTrue(exclusive)    ? "nodes exclusive"
                  : cJSON_IsFalse(exclusive) ? "nodes SHARED"
                                             : "nodes perhaps shared",
                  nodes);
    else
        show_line("  without Slurm: %s", nodes);
    show_line("  %s UTC, %s", start, show_duration(show_number(doc, "time.wall_seconds")).text);
}

static void show_verdict(const cJSON *w)
{
    char text[512];

    verdict_text(w, text, sizeof text);
    show_wrapped("  verdict     ", text, 14);
}

static void show_quality(const cJSON *w)
{
    const char *metric = json_text(w, "quality.metric", NULL);
    const char *field = json_text(w, "quality.baseline_domain.name", NULL);
    char text[256];

    if (!metric)
        return;
    size_t n =
        (size_t)snprintf(text, sizeof text, "%.32s, %s is better; constant predictor %s", metric,
                         cJSON_IsTrue(json_at(w, "quality.higher_is_better")) ? "higher" : "lower",
                         show_plain(show_number(w, "quality.baseline")).text);
    if (field)
        snprintf(text + n, sizeof text - n, ", %.47s %.31s", field,
                 show_plain(show_number(w, "quality.baseline_domain.value")).text);
    show_whole(text);
    show_wrapped("  quality     ", text, 14);
    if (json_number(w, "quality.rcp.seeds", 0) > 0)
        show_line("              reference: %s +- %s epochs over %.0f seeds",
                  show_plain(show_number(w, "quality.rcp.mean_epochs")).text,
                  show_plain(show_number(w, "quality.rcp.std_epochs")).text,
                  json_number(w, "quality.rcp.seeds", 0));
}

/* "iou_pit 0.61, higher is better; target 0.5, reached" */
static void show_other(const cJSON *q, const char *why)
{
    double value = show_number(q, "value"), target = show_number(q, "target");
    bool higher = cJSON_IsTrue(json_at(q, "higher_is_better"));
    char text[256];
    size_t n;

    if (!isfinite(value)) {
        snprintf(text, sizeof text, "%.31s not measured: %.160s", json_text(q, "name", "?"), why);
    } else {
        n = (size_t)snprintf(text, sizeof text, "%.31s %s, %s is better", json_text(q, "name", "?"),
                             show_plain(value).text, higher ? "higher" : "lower");
        if (isfinite(target))
            snprintf(text + n, sizeof text - n, "; target %s, %s", show_plain(target).text,
                     (higher ? value >= target : value <= target) ? "reached" : "NOT reached");
    }
    show_whole(text);
    show_line("              %s", text);
}

/* A line each; hostile records have more of them than a workload can. */
static void show_others(const cJSON *w, const cJSON *reasons, int index)
{
    const cJSON *q, *others = json_at(w, "quality.others");
    char path[64];
    int i = 0;

    cJSON_ArrayForEach(q, others)
    {
        if (i == RESULT_MAX_OTHERS)
            break;
        snprintf(path, sizeof path, "workloads[%d].quality.others[%d].value", index, i++);
        const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reasons, path));
        show_other(q, why ? why : "the record does not say why");
    }
}

/* How fast tokens pass, and what of the arithmetic is used. */
static void show_use(const cJSON *w)
{
    const double tokens = show_number(w, "performance.tokens_per_second");
    const double mfu = show_number(w, "performance.mfu");
    char text[128] = "";

    if (isfinite(tokens))
        text_add(text, sizeof text, "%s tokens/s", show_si(tokens, "").text);
    if (isfinite(mfu))
        text_add(text, sizeof text, "%sMFU %.1f %%, of %s a rank (yardstick)",
                 isfinite(tokens) ? ", " : "", 100 * mfu,
                 show_si(show_number(w, "yardstick.peak_flop_per_second"), "FLOP/s").text);
    if (*text)
        show_line("  use         %s", text);
}

static void show_speed(const cJSON *w)
{
    const cJSON *p = json_at(w, "performance");

    show_line("  time        %s to quality (staging left out), %s in all",
              show_duration(show_number(p, "time_to_quality_seconds")).text,
              show_duration(show_number(w, "wall_seconds")).text);
    if (isfinite(show_number(p, "samples_per_second")))
        show_line("  speed       %s samples/s, %s, %s/sample (3x: %s)",
                  show_plain(show_number(p, "samples_per_second")).text,
                  show_si(show_number(p, "flop_per_second"), "FLOP/s").text,
                  show_si(show_number(p, "flop_per_sample"), "FLOP").text,
                  show_si(show_number(p, "flop_per_sample_3x"), "").text);
    if (isfinite(show_number(p, "vflops.n5")))
        show_line("  VFLOPS      n=5: %s, n=10: %s",
                  show_si(show_number(p, "vflops.n5"), "FLOP/s").text,
                  show_si(show_number(p, "vflops.n10"), "FLOP/s").text);
    if (verdict_vflops(w)[0])
        show_line("              %s", verdict_vflops(w));
    show_use(w);
    if (json_number(p, "stalls.stalled", 0) > 0)
        show_line("  stalls      %.0f of %.0f steps, %s", json_number(p, "stalls.stalled", 0),
                  json_number(p, "stalls.steps", 0),
                  show_duration(show_number(p, "stalls.stalled_seconds")).text);
}

static double counter(const cJSON *w, const char *name)
{
    char path[80];

    snprintf(path, sizeof path, "counters.%s.total", name);
    return show_number(w, path);
}

/* ", read 12 MB and written 3 MB LABEL" of two counters; what is 0 or not known is
 * not said. */
static void add_pair(char *text, size_t size, const char *label, double in, double out)
{
    size_t n = strlen(text);

    if (in > 0)
        n += (size_t)snprintf(text + n, size - n, ", %s in %s", label, show_si(in, "B").text);
    if (out > 0 && n < size)
        snprintf(text + n, size - n, ", %s out %s", label, show_si(out, "B").text);
}

/* The memory counter is the largest rank's; of all of them their median times
 * their number. */
static void add_memory(char *text, size_t size, const cJSON *w)
{
    double most = counter(w, "memory_peak_bytes");
    double ranks = show_number(w, "counters.memory_peak_bytes.ranks.counted");
    double median = show_number(w, "counters.memory_peak_bytes.ranks.median");
    size_t n = strlen(text);

    if (most > 0)
        n += (size_t)snprintf(text + n, size - n, ", memory %s in the largest rank",
                              show_si(most, "B").text);
    if (most > 0 && ranks > 1 && median > 0 && n < size)
        snprintf(text + n, size - n, ", about %s in all", show_si(ranks * median, "B").text);
}

/* The counters that say most to a person. What read calls moved is left out: of an
 * MPI program it is sockets and pipes more than files; those stand apart. */
static void show_counters(const cJSON *w)
{
    double instructions = counter(w, "instructions"), cycles = counter(w, "cycles");
    double user = counter(w, "cpu_user_seconds"), kernel = counter(w, "cpu_system_seconds");
    double energy = counter(w, "energy_package_joules");
    char text[512] = "";

    if (user + kernel > 0)
        snprintf(text, sizeof text, ", CPU %s (%s of it in the kernel)",
                 show_duration(user + kernel).text, show_duration(kernel).text);
    add_memory(text, sizeof text, w);
    add_pair(text, sizeof text, "local storage", counter(w, "storage_read_bytes"),
             counter(w, "storage_write_bytes"));
    add_pair(text, sizeof text, "TCP sockets", counter(w, "socket_receive_bytes"),
             counter(w, "socket_transmit_bytes"));
    add_pair(text, sizeof text, "network", counter(w, "net_receive_bytes"),
             counter(w, "net_transmit_bytes"));
    size_t n = strlen(text);
    if (energy > 0)
        n += (size_t)snprintf(text + n, sizeof text - n, ", energy %s", show_si(energy, "J").text);
    if (instructions > 0 && cycles > 0)
        snprintf(text + n, sizeof text - n, ", %.2f instructions/cycle", instructions / cycles);
    if (text[0])
        show_wrapped("  counters    ", text + 2, 14);
}

static void show_workload(const cJSON *w, const cJSON *reasons, int index, bool why)
{
    double ranks = json_number(w, "ranks", 0), threads = json_number(w, "threads", 0);

    printf("\n");
    show_line("%s %s   %s %s, %.0f rank%s x %.0f thread%s, batch %s, data %s",
              json_text(w, "name", "?"), json_text(w, "class", ""), json_text(w, "engine", "-"),
              json_text(w, "dtype", "-"), ranks, ranks == 1 ? "" : "s", threads,
              threads == 1 ? "" : "s", show_plain(show_number(w, "batch")).text,
              json_text(w, "data_origin", "-"));
    show_verdict(w);
    show_why(w, why);
    show_quality(w);
    show_others(w, reasons, index);
    show_speed(w);
    show_phases(w, why);
    show_counters(w);
}

/* A number of a row in its unit, "-" for none; 13.8 us, 2.4 ms. */
static struct shown micro_value(const cJSON *m, const char *key, const char *unit)
{
    double v = json_number(m, key, NAN);

    if (strcmp(unit, "s") == 0 && v < 1e-3)
        return show_si(v * 1e6, "us");
    if (strcmp(unit, "s") == 0 && v < 1)
        return show_si(v * 1e3, "ms");
    return isfinite(v) ? show_si(v, unit) : show_plain(v);
}

/* "n2 > n1" of a link, the size of an exchange, else the shape. */
static void micro_place(const cJSON *m, char *text, size_t size)
{
    const char *from = json_text(m, "from", ""), *to = json_text(m, "to", "");

    if (*from || *to)
        snprintf(text, size, "%.20s > %.20s", from, to);
    else if (json_number(m, "busbw_bytes_per_second", 0) > 0)
        snprintf(text, size, "%s", show_si(json_number(m, "bytes", 0), "B").text);
    else
        snprintf(text, size, "%.40s", json_text(m, "shape", ""));
}

/* An operator, of which parts are measured apart, as rates. */
static bool is_operator(const cJSON *m)
{
    const char *direction = json_text(m, "direction", ""), *unit = json_text(m, "unit", "");

    return (strcmp(unit, "FLOP/s") == 0 || strcmp(unit, "B/s") == 0) &&
           (strcmp(direction, "forward") == 0 || strncmp(direction, "backward", 8) == 0);
}

/* What the machine benchmark of the same run found for so many threads: its peak in that
 * precision, or its triad from DRAM; NAN: it was not run. */
static double roof_of(const cJSON *doc, const cJSON *m, bool flop)
{
    const cJSON *r;

    cJSON_ArrayForEach(r, json_at(doc, "micro"))
    {
        bool wanted = flop ? strcmp(json_text(r, "what", ""), "peak") == 0 &&
                                 strcmp(json_text(r, "dtype", ""), json_text(m, "dtype", "")) == 0
                           : strcmp(json_text(r, "what", ""), "triad") == 0 &&
                                 strncmp(json_text(r, "shape", ""), "DRAM", 4) == 0;
        if (wanted && strcmp(json_text(r, "name", ""), "machine") == 0 &&
            json_number(r, "threads", 0) == json_number(m, "threads", -1))
            return json_number(r, "median", NAN);
    }
    return NAN;
}

/* "2-D data  4x16x64x64 16 3x3 p1  f32  2  210 GFLOP/s  9.1 GB/s  54 %" */
static void show_operator(const cJSON *doc, const cJSON *m)
{
    const char *direction = json_text(m, "direction", "");
    const char *part = strcmp(direction, "forward") == 0         ? "fwd"
                       : strcmp(direction, "backward_data") == 0 ? "data"
                                                                 : "wgts";
    double flop = json_number(m, "flop", 0), median = json_number(m, "median", NAN);
    double moved = flop > 0 ? json_number(m, "bytes", 0) * median / flop : median;
    double share = 100 * median / roof_of(doc, m, flop > 0);
    char what[32], of[16] = "-";

    snprintf(what, sizeof what, "%.7s %s", json_text(m, "what", ""), part);
    if (isfinite(share))
        snprintf(of, sizeof of, "%.0f %%", share);
    show_line("  %-12.12s %-25.25s %-4.4s %2.0f %12s %10s %6s", what, json_text(m, "shape", ""),
              json_text(m, "dtype", ""), json_number(m, "threads", 1),
              flop > 0 ? show_si(median, "FLOP/s").text : "-",
              isfinite(moved) ? show_si(moved, "B/s").text : "-", of);
}

static void show_measured(const cJSON *m)
{
    const char *unit = json_text(m, "unit", "");
    bool paced = strcmp(json_text(m, "direction", ""), "in rhythm") == 0;
    bool bus = json_number(m, "busbw_bytes_per_second", 0) > 0;
    char place[64], what[64];

    micro_place(m, place, sizeof place);
    snprintf(what, sizeof what, "%.24s%s", json_text(m, "what", ""), paced ? ", paced" : "");
    show_line("  %-15.15s %-15.15s %-4.4s %2.0f %12s %12s %12s", what, place,
              json_text(m, "dtype", ""), json_number(m, "threads", 1),
              micro_value(m, "median", unit).text, micro_value(m, "p95", unit).text,
              bus ? micro_value(m, "busbw_bytes_per_second", "B/s").text
                  : micro_value(m, "best", unit).text);
}

static void show_micro_row(const cJSON *doc, const cJSON *m)
{
    const char *status = json_text(m, "status", "OK"), *node = json_text(m, "slowest_node", NULL);
    const char *unit = json_text(m, "unit", "");
    char head[48];

    if (is_operator(m))
        show_operator(doc, m);
    else
        show_measured(m);
    snprintf(head, sizeof head, "    %.16s: ", status);
    if (strcmp(status, "OK") != 0 || json_text(m, "reason", NULL))
        show_wrapped(head, json_text(m, "reason", "no reason given"), 6);
    else if (node)
        show_line("    slowest: rank %s on %s, %s", show_plain(show_number(m, "slowest_rank")).text,
                  node, micro_value(m, "slowest", unit).text);
    if (!cJSON_IsTrue(json_at(m, "checked")) && strcmp(status, "SKIPPED") != 0)
        show_line("    not checked");
}

static void show_micro(const cJSON *doc)
{
    const char *last = "";
    const cJSON *m;
    double omitted = json_number(doc, "micro_omitted", 0);

    cJSON_ArrayForEach(m, json_at(doc, "micro"))
    {
        const char *name = json_text(m, "name", "?");
        bool bus = json_number(m, "busbw_bytes_per_second", 0) > 0;
        if (strcmp(name, last) != 0) {
            printf("\n");
            if (is_operator(m))
                show_line("%-14.14s %-25s type th %12s %10s of peak", name, "shape", "median",
                          "traffic");
            else
                show_line("%-17.17s %-15s type th %12s %12s %12s", name, "size or link", "median",
                          "p95", bus ? "busbw" : "best");
        }
        last = name;
        show_micro_row(doc, m);
    }
    if (omitted > 0)
        show_line("  and %.0f more rows, in the ranks' file", omitted);
}

static void show_system(const cJSON *doc)
{
    const cJSON *l = json_at(doc, "system.layers");
    const char *kernel = json_text(l, "operating_system.kernel", "?");
    const char *onednn = json_text(l, "libraries.onednn", NULL);
    char nodes[48] = "";
    double count = json_number(doc, "system.node_count", 0);

    if (count != 1)
        snprintf(nodes, sizeof nodes, "%.0f nodes of ", count);
    printf("\n");
    show_line("system      %s%s, %s cores, %s", nodes,
              json_text(l, "hardware.cpu_model", "differing or unknown processors"),
              show_plain(show_number(l, "hardware.cores")).text,
              show_si(show_number(l, "hardware.memory_bytes"), "B").text);
    show_line("            %s, Linux %s", json_text(l, "operating_system.distribution", "?"),
              kernel);
    const char *mpi = json_text(l, "communication.mpi", "no MPI");
    show_line("            %.*s%s%s, build %s", (int)strcspn(mpi, ","), mpi,
              onednn ? ", oneDNN " : "", onednn ? onednn : "",
              json_text(l, "implementation.build_id", "?"));
}

/* Each reason once, with the values that it is of. */
static void show_missing(const cJSON *reasons, bool all)
{
    int n_groups, n_values;
    struct reason_group *groups = verdict_reasons(reasons, &n_groups, &n_values);

    if (groups && n_values > 0 && !all)
        printf("\n%d value%s missing, for %d reason%s; --reasons lists them.\n", n_values,
               n_values == 1 ? " is" : "s are", n_groups, n_groups == 1 ? "" : "s");
    if (groups && n_values > 0 && all)
        printf("\nmissing, and why:\n");
    for (int i = 0; groups && all && i < n_groups; i++) {
        const struct reason_group *g = &groups[i];
        show_wrapped("  ", g->reason, 4);
        for (int k = 0; k < g->n && k < VERDICT_PATHS; k++)
            show_wrapped("      ", g->paths[k], 8);
        if (g->n > VERDICT_PATHS)
            printf("      and %d more\n", g->n - VERDICT_PATHS);
    }
    free(groups);
}

/* Why not complete or not valid; of what else is missing only with --reasons. */
static void show_reasons(const cJSON *doc, bool all)
{
    static const struct {
        const char *path, *title;
    } table[] = {{"status", "not complete: "}, {"valid", "not valid: "}};
    const cJSON *reasons = json_at(doc, "reasons");

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const cJSON *reason = cJSON_GetObjectItemCaseSensitive(reasons, table[i].path);
        if (cJSON_IsString(reason)) {
            printf("\n");
            show_wrapped(table[i].title, reason->valuestring, 2);
        }
    }
    show_missing(reasons, all);
}

/* What the history's column "seen" means. */
static void show_seen(int seen)
{
    if (seen > 0)
        printf("\nseen: root. Root saw this file at the job's end; that is not a word on whether it"
               "\n  is true. hpcai500 verify checks it.\n");
    else if (seen == 0)
        printf("\nseen: claim. Nobody but the job's user vouches for this file.\n");
}

void show_screen(const cJSON *doc, const struct show_options *o)
{
    const cJSON *w;
    int i = 0;

    headline(doc, o->colour);
    show_run(doc);
    show_job(doc);
    cJSON_ArrayForEach(w, json_at(doc, "workloads"))
        show_workload(w, json_at(doc, "reasons"), i++, o->why);
    show_micro(doc);
    show_system(doc);
    show_reasons(doc, o->reasons);
    show_seen(o->seen);
}
