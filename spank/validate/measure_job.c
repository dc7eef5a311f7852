/* SPDX-License-Identifier: BSD-3-Clause */
/* The script of a job, what it will take, and the line of progress. */
#include <config.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spank/validate/measure.h"

/* Of a step: start, end, and Slurm's own time. */
static const double step_seconds = 5, link_seconds = 12;

static double profile_seconds(const struct measure_options *o)
{
    return o->budget > 0                         ? (double)o->budget
           : strcmp(o->profile, "deep") == 0     ? 720
           : strcmp(o->profile, "standard") == 0 ? 60
                                                 : 20;
}

double measure_seconds(const struct measure *m, const struct measure_job *j)
{
    double part = j->only && !*j->only ? 0 : profile_seconds(m->o) + step_seconds, links = 0;

    if (j->from > 0) /* a few tests of the profile */
        part /= 3;
    if (m->o->turns)
        part *= j->n;
    if (j->links && j->n > 1)
        links = link_seconds * (m->o->turns ? j->n : 1);
    return j->rounds * (part + links + (double)(j->from > 0 ? m->o->spacing : 0));
}

/* What is part of a word of the shell as it stands. */
static void put_word(FILE *f, const char *word)
{
    fputc('\'', f);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, f);
    fputc('\'', f);
}

static void put_option(FILE *f, const char *option, const char *value)
{
    fprintf(f, " %s=", option);
    put_word(f, value);
}

static void put_number(FILE *f, const char *option, long value)
{
    if (value > 0)
        fprintf(f, " %s=%ld", option, value);
}

static void put_names(FILE *f, const struct measure *m, const struct measure_job *j, char between)
{
    for (int i = 0; i < j->n; i++)
        fprintf(f, "%s%s", i ? (char[]){between, '\0'} : "", m->names[j->nodes[i]]);
}

/* The functions of the script. Every srun has an end: a node that died costs its patience
 * and no more. */
static void put_head(const struct measure *m, const struct measure_job *j, FILE *f)
{
    const struct measure_options *o = m->o;
    double limit = 60 + 20 * profile_seconds(o);

    fprintf(f,
            "#!/bin/sh\n"
            "# hpcai500 validate, run %s: %s\n"
            "step() { timeout -k 10 %.0f srun --no-kill --kill-on-bad-exit=0 --wait=0"
            " --ntasks-per-node=1 --cpu-bind=none \"$@\" </dev/null; }\n",
            m->run, j->name, limit);
    fprintf(f, "node() { step --mpi=none -N\"$1\" -n\"$1\" -w \"$2\" ");
    put_word(f, m->node_program);
    fprintf(f, " -q --round=\"$3\"");
    put_option(f, "--profile", o->profile);
    if (j->only)
        put_option(f, "--only", j->only);
    else if (o->only)
        put_option(f, "--only", o->only);
    put_number(f, "--budget", o->budget);
    if (m->priors[0])
        put_option(f, "--priors", m->priors);
    put_number(f, "--calls", o->calls);
    put_number(f, "--samples", o->samples);
    if (o->tests_folder)
        put_option(f, "--folder", o->tests_folder);
    fprintf(f, "; }\n");
}

/* links ROUND NAME...: one MPI step; one that fails is tried in halves. */
static void put_links(const struct measure *m, FILE *f)
{
    fprintf(f,
            "links() {\n"
            "    k=$1; shift\n"
            "    [ $# -ge 2 ] || { echo \"alone $k $*\"; return; }\n"
            "    at=$(echo \"$*\" | tr ' ' ,)\n"
            "    step%s%s -N$# -n$# -w \"$at\" ",
            m->o->mpi ? " --mpi=" : "", m->o->mpi ? m->o->mpi : "");
    put_word(f, m->agent);
    fprintf(f, " p2p,class=tiny%s,out=", m->o->turns ? ",turns=yes" : "");
    put_word(f, m->folder);
    fprintf(f, "/\"links-$k-$1-$#.json\" && return\n"
               "    echo \"failed $k $*\"\n"
               "    [ $# -gt 2 ] || return\n"
               "    half=$(($# / 2)); first= i=0\n"
               "    for n; do [ $i -ge $half ] || first=\"$first $n\"; i=$((i + 1)); done\n"
               "    shift $half; rest=\"$*\"\n"
               "    (links \"$k\" $first); (links \"$k\" $rest)\n"
               "}\n");
}

char *measure_script(const struct measure *m, const struct measure_job *j)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    put_head(m, j, f);
    if (j->links)
        put_links(m, f);
    for (int round = j->from; round < j->from + j->rounds; round++) {
        if (round > 0 && m->o->spacing > 0)
            fprintf(f, "sleep %ld\n", m->o->spacing);
        if (j->only && !*j->only) {
        } else if (m->o->turns) {
            for (int i = 0; i < j->n; i++)
                fprintf(f, "node 1 %s %d\n", m->names[j->nodes[(i + round) % j->n]], round);
        } else {
            fprintf(f, "node %d ", j->n);
            put_names(f, m, j, ',');
            fprintf(f, " %d\n", round);
        }
        if (j->links) {
            fprintf(f, "links %d ", round);
            put_names(f, m, j, ' ');
            fputc('\n', f);
        }
    }
    fprintf(f, "echo ended\n");
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

void measure_say(const struct measure *m, const char *fmt, ...)
{
    time_t now = time(NULL);
    struct tm tm;
    char at[16];
    va_list ap;

    if (m->o->quiet)
        return;
    strftime(at, sizeof at, "%H:%M", localtime_r(&now, &tm));
    fprintf(stderr, "%s  ", at);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}
