/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 show: a record on one screen, for a person; --json for machines.
 * All text passes utf8_clean() first: a job's name must not steer a terminal.
 */
#include <config.h>

#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "reports/core/utf8.h"
#include "reports/tools/find.h"

enum { WIDTH = 80 };

/* ---- lines ---- */

static bool coloured;

/* Shown columns: one per character, whatever its bytes. */
static int columns(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* Cuts text to so many columns, with "..." where it was longer. */
static void cut(char *text, int most)
{
    int n = 0;

    if (columns(text) <= most)
        return;
    for (char *c = text; *c; c++)
        if ((*c & 0xc0) != 0x80 && n++ == most - 3) {
            memcpy(c, "...", 4);
            return;
        }
}

/* A precision of printf counts bytes: of a character that it cut what is left
 * becomes '?'. */
static void whole(char *text)
{
    const size_t n = strlen(text);

    for (size_t at; (at = utf8_check(text, n)) < n;)
        text[at] = '?';
}

/* One line of at most WIDTH columns. */
static void line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void line(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    whole(text);
    cut(text, WIDTH);
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
    puts(text);
}

/* Words of a sentence after a head, over as many lines as they need. */
static void wrapped(const char *head, const char *text)
{
    int at = printf("%s", head) > 0 ? columns(head) : 0;

    for (bool first = true; *text; first = false) {
        char word[256];
        size_t n = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        whole(word);
        int wide = columns(word);
        bool fits = first || at + 1 + wide <= WIDTH;
        printf("%s%s", first ? "" : fits ? " " : "\n  ", word);
        at = fits ? at + wide + !first : wide + 2;
        text += n + strspn(text + n, " ");
    }
    printf("\n");
}

/* ---- numbers ---- */

struct shown {
    char text[48];
};

/* 12.9 G; "-" when there is none. */
static struct shown si(double v, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    struct shown s = {"-"};
    size_t i = 0;

    if (!isfinite(v))
        return s;
    for (; fabs(v) >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        v /= 1000;
    int digits = fabs(v) >= 99.5 || v == floor(v) ? 0 : fabs(v) >= 9.95 ? 1 : 2;
    snprintf(s.text, sizeof s.text, "%.*f %s%s", digits, v, prefixes[i], unit);
    for (size_t n = strlen(s.text); n && s.text[n - 1] == ' '; n--)
        s.text[n - 1] = '\0';
    return s;
}

/* 83.2 s, 12 min 4 s, 3 h 20 min */
static struct shown duration(double seconds)
{
    struct shown s = {"-"};
    double minutes = floor(seconds / 60);

    if (!isfinite(seconds))
        return s;
    if (seconds > 0 && seconds < 0.9995)
        snprintf(s.text, sizeof s.text, "%.*f ms", seconds < 0.00995 ? 1 : 0, 1000 * seconds);
    else if (seconds < 120)
        snprintf(s.text, sizeof s.text, "%.*f s", seconds < 9.95 ? 2 : 1, seconds);
    else if (seconds < 7200)
        snprintf(s.text, sizeof s.text, "%.0f min %.0f s", minutes, floor(seconds - 60 * minutes));
    else
        snprintf(s.text, sizeof s.text, "%.0f h %.0f min", floor(minutes / 60),
                 minutes - 60 * floor(minutes / 60));
    return s;
}

static struct shown plain(double v)
{
    struct shown s = {"-"};

    if (isfinite(v))
        snprintf(s.text, sizeof s.text, "%.4g", v);
    return s;
}

static double number(const cJSON *o, const char *path)
{
    return json_number(o, path, NAN);
}

/* ---- the screen ---- */

static void headline(const cJSON *doc)
{
    const char *id = json_text(doc, "id", "?"), *status = json_text(doc, "status", "?");
    bool valid = cJSON_IsTrue(json_at(doc, "valid"));
    char verdict[64];
    int colour = strcmp(status, "complete") != 0 ? 33 : valid ? 32 : 31;

    snprintf(verdict, sizeof verdict, "%.24s, %s", status, valid ? "valid" : "not valid");
    whole(verdict);
    int gap = WIDTH - 10 - columns(id) - columns(verdict);
    printf("hpcai500  %s%*s", id, gap > 1 ? gap : 1, "");
    if (coloured)
        printf("\033[1;%dm%s\033[0m\n", colour, verdict);
    else
        puts(verdict);
}

static void show_run(const cJSON *doc)
{
    const char *level = json_text(doc, "run.level", NULL);
    double seed = number(doc, "run.seed");
    char claim[80] = "";

    if (level)
        snprintf(claim, sizeof claim, ", level %.32s", level);
    line("  %s   (division %s%s, rules %s, seed %.*g)", json_text(doc, "run.text", "?"),
         json_text(doc, "run.division", "?"), claim, json_text(doc, "run.rules_version", "?"),
         seed < 9007199254740992 ? 16 : 6, seed); /* beyond 2^53 JSON readers round */
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
        line("  %s on %s, partition %s, %s: %s", json_text(job, "user", "?"),
             json_text(job, "cluster", "?"), json_text(job, "partition", "-"),
             cJSON_IsTrue(exclusive)    ? "nodes exclusive"
             : cJSON_IsFalse(exclusive) ? "nodes SHARED"
                                        : "nodes perhaps shared",
             nodes);
    else
        line("  without Slurm: %s", nodes);
    line("  %s UTC, %s", start, duration(number(doc, "time.wall_seconds")).text);
}

static void show_quality(const cJSON *w)
{
    const char *metric = json_text(w, "quality.metric", NULL);
    double target = number(w, "quality.target"), achieved = number(w, "quality.achieved");
    double epoch = number(w, "quality.epochs_to_target");
    const char *field = json_text(w, "quality.baseline_domain.name", NULL);
    char reached[64] = "not reached", domain[96] = "";

    if (isfinite(epoch))
        snprintf(reached, sizeof reached, "reached in epoch %.0f", epoch);
    if (field)
        snprintf(domain, sizeof domain, ", %s %s", field,
                 plain(number(w, "quality.baseline_domain.value")).text);
    if (!metric) {
        line("  quality     stopped before there was any");
        return;
    }
    line("  quality     %s %s, target %s: %s (%s is better)", metric, plain(achieved).text,
         plain(target).text, reached,
         cJSON_IsTrue(json_at(w, "quality.higher_is_better")) ? "higher" : "lower");
    line("              beside it: constant predictor %s%s",
         plain(number(w, "quality.baseline")).text, domain);
    if (json_number(w, "quality.rcp.seeds", 0) > 0)
        line("              reference: %s +- %s epochs over %.0f seeds",
             plain(number(w, "quality.rcp.mean_epochs")).text,
             plain(number(w, "quality.rcp.std_epochs")).text,
             json_number(w, "quality.rcp.seeds", 0));
}

static void show_speed(const cJSON *w)
{
    const cJSON *p = json_at(w, "performance");

    line("  time        %s to quality, %s in all",
         duration(number(p, "time_to_quality_seconds")).text,
         duration(number(w, "wall_seconds")).text);
    if (isfinite(number(p, "samples_per_second")))
        line("  speed       %s samples/s, %s, %s/sample (3x: %s)",
             plain(number(p, "samples_per_second")).text,
             si(number(p, "flop_per_second"), "FLOP/s").text,
             si(number(p, "flop_per_sample"), "FLOP").text,
             si(number(p, "flop_per_sample_3x"), "").text);
    if (isfinite(number(p, "vflops.n5")))
        line("  VFLOPS      n=5: %s, n=10: %s", si(number(p, "vflops.n5"), "FLOP/s").text,
             si(number(p, "vflops.n10"), "FLOP/s").text);
    if (json_number(p, "stalls.stalled", 0) > 0)
        line("  stalls      %.0f of %.0f steps, %s", json_number(p, "stalls.stalled", 0),
             json_number(p, "stalls.steps", 0), duration(number(p, "stalls.stalled_seconds")).text);
}

/* Medians over ranks as parts of their sum; the slowest rank's node beside. */
static void show_phases(const cJSON *w)
{
    const cJSON *phases = json_at(w, "phases"), *phase;
    double sum = 0;

    cJSON_ArrayForEach(phase, phases) sum += json_number(phase, "median_seconds", 0);
    if (!(sum > 0) || !isfinite(sum))
        return;
    line("  where the time went         median                        slowest rank");
    cJSON_ArrayForEach(phase, phases)
    {
        double median = json_number(phase, "median_seconds", 0);
        double most = json_number(phase, "max_seconds", 0);
        char bar[21] = "";
        if (most <= 0 || median < 0 || !(median <= sum))
            continue;
        memset(bar, '#', (size_t)(20 * (median / sum) + 0.5));
        line("    %-17.17s %12s %4.0f %%  %-20s  %10s  %s", phase->string, duration(median).text,
             100 * (median / sum), bar, duration(most).text, json_text(phase, "max_node", ""));
    }
    double au = number(w, "performance.utilisation");
    if (isfinite(au))
        line("    utilisation of the steady state (AU): %.0f %%", 100 * au);
}

/* The counters that say most to a person. */
static void show_counters(const cJSON *w)
{
    static const struct {
        const char *name, *label, *unit;
    } table[] = {
        {"energy_package_joules", "energy", "J"}, {"cpu_user_seconds", "CPU", "s"},
        {"memory_peak_bytes", "memory", "B"},     {"io_read_bytes", "read", "B"},
        {"storage_read_bytes", "from disk", "B"}, {"net_receive_bytes", "network in", "B"},
    };
    const cJSON *counters = json_at(w, "counters");
    double instructions = number(counters, "instructions.total");
    double cycles = number(counters, "cycles.total");
    char text[256] = "";
    size_t used = 0;

    if (instructions > 0 && cycles > 0)
        used +=
            (size_t)snprintf(text, sizeof text, ", %.2f instructions/cycle", instructions / cycles);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s.total", table[i].name);
        double v = number(counters, path);
        if (v > 0 && used < sizeof text - 64)
            used += (size_t)snprintf(text + used, sizeof text - used, ", %s %s", table[i].label,
                                     si(v, table[i].unit).text);
    }
    if (used)
        wrapped("  counters    ", text + 2);
}

static void show_workload(const cJSON *w)
{
    double ranks = json_number(w, "ranks", 0), threads = json_number(w, "threads", 0);

    printf("\n");
    line("%s %s   %s %s, %.0f rank%s x %.0f thread%s, batch %s, data %s", json_text(w, "name", "?"),
         json_text(w, "class", ""), json_text(w, "engine", "-"), json_text(w, "dtype", "-"), ranks,
         ranks == 1 ? "" : "s", threads, threads == 1 ? "" : "s", plain(number(w, "batch")).text,
         json_text(w, "data_origin", "-"));
    show_quality(w);
    show_speed(w);
    show_phases(w);
    show_counters(w);
}

static void show_micro(const cJSON *doc)
{
    const cJSON *m;

    if (cJSON_GetArraySize(json_at(doc, "micro")) > 0)
        line("\nmicro                                     median         p95");
    cJSON_ArrayForEach(m, json_at(doc, "micro"))
        line("  %-12.12s %-20.20s %-4.4s %10s  %10s %s%s", json_text(m, "name", "?"),
             json_text(m, "shape", ""), json_text(m, "dtype", ""), plain(number(m, "median")).text,
             plain(number(m, "p95")).text, json_text(m, "unit", ""),
             cJSON_IsTrue(json_at(m, "checked")) ? "" : " (not checked)");
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
    line("system      %s%s, %s cores, %s", nodes,
         json_text(l, "hardware.cpu_model", "differing or unknown processors"),
         plain(number(l, "hardware.cores")).text, si(number(l, "hardware.memory_bytes"), "B").text);
    line("            %s, Linux %s", json_text(l, "operating_system.distribution", "?"), kernel);
    const char *mpi = json_text(l, "communication.mpi", "no MPI");
    line("            %.*s%s%s, build %s", (int)strcspn(mpi, ","), mpi, onednn ? ", oneDNN " : "",
         onednn ? onednn : "", json_text(l, "implementation.build_id", "?"));
}

/* Why not complete or not valid; of all other nulls only with --reasons. */
static void show_reasons(const cJSON *doc, bool all)
{
    static const struct {
        const char *path, *title;
    } table[] = {{"status", "not complete: "}, {"valid", "not valid: "}};
    const cJSON *reasons = json_at(doc, "reasons"), *reason;
    int others = cJSON_GetArraySize(reasons);
    char head[96];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        reason = cJSON_GetObjectItemCaseSensitive(reasons, table[i].path);
        if (!cJSON_IsString(reason))
            continue;
        printf("\n");
        wrapped(table[i].title, reason->valuestring);
        others--;
    }
    if (others > 0 && !all)
        printf("\n%d values or lines have a reason; --reasons says which and why.\n", others);
    if (all)
        printf("\n");
    cJSON_ArrayForEach(reason, reasons)
    {
        if (!all || !cJSON_IsString(reason) || strcmp(reason->string, "status") == 0 ||
            strcmp(reason->string, "valid") == 0)
            continue;
        snprintf(head, sizeof head, "%.80s: ", reason->string);
        whole(head);
        wrapped(head, reason->valuestring);
    }
}

static void show(const cJSON *doc, bool reasons)
{
    const cJSON *w;

    headline(doc);
    show_run(doc);
    show_job(doc);
    cJSON_ArrayForEach(w, json_at(doc, "workloads")) show_workload(w);
    show_micro(doc);
    show_system(doc);
    show_reasons(doc, reasons);
}

/* ---- main ---- */

struct options {
    bool json, reasons;
    const char *dir;
};

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 show [--json] [--reasons] [--dir=DIR] FILE|JOBID...\n"
               "  -j, --json      the record itself\n"
               "  -r, --reasons   why each value that is missing is missing\n"
               "  -d, --dir=DIR   look for jobs here first\n"
               "JOBID is 4711, 4711_7 (array), 4711+1 (het), 4711.0 (step) or lab-4711.0.3.\n");
    return f == stdout ? 0 : 2;
}

static int show_one(const struct conf *c, const char *word, const struct options *o, struct err *e)
{
    struct found f = FOUND_INIT;
    int rc = find_record(c, word, o->dir, &f, e);

    if (rc == 0 && f.n > 1)
        fprintf(stderr, "hpcai500 show: %d runs of %s, this is the latest: %s\n", f.n, word,
                f.name);
    if (rc == 0 && o->json) {
        fwrite(f.text, 1, f.size, stdout);
    } else if (rc == 0) {
        json_clean(f.doc);
        show(f.doc, o->reasons);
    }
    found_fini(&f);
    return rc;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"reasons", no_argument, NULL, 'r'},
                                          {"dir", required_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static struct conf site; /* 40 KiB */
    struct options o = {false, false, NULL};
    int c, rc = 0;

    while ((c = getopt_long(argc, argv, "jrd:h", longs, NULL)) != -1) {
        switch (c) {
        case 'j':
            o.json = true;
            break;
        case 'r':
            o.reasons = true;
            break;
        case 'd':
            o.dir = optarg;
            break;
        default:
            return usage(c == 'h' ? stdout : stderr);
        }
    }
    if (optind == argc)
        return usage(stderr);
    coloured = wants_colour();
    if (conf_load(&site, NULL, 0, NULL))
        conf_defaults(&site); /* files are shown whatever the site says */
    for (int i = optind; i < argc; i++) {
        struct err e = ERR_INIT;
        if (i > optind && !o.json)
            printf("\n");
        if (show_one(&site, argv[i], &o, &e) < 0) {
            fflush(stdout);
            fprintf(stderr, "hpcai500 show: %s\n", e.text);
            rc = 3;
        }
    }
    return fflush(stdout) ? 3 : rc;
}
