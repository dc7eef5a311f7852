/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The read benchmark's passes against fio on the same files, for contrib/bench/read.sh:
 * adjacent pairs of a pass of ours and a run of fio, in turn which is first.
 *
 *     read_bench FOLDER [PAIRS [SAMPLES]]
 *
 * Prints a line a pair: metric, the other, ours, theirs (bytes/s). One thread, read(2) and
 * pread(2) on both sides (ioengine=psync), pieces of 1 MiB in order and of 256 KiB
 * shuffled. Warm: all in memory, fio told to leave it there, and 24 passes a side, as
 * fio counts whole milliseconds. Cold: dropped before each side by fsync and
 * posix_fadvise; mincore() finds nothing left.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/micro/samples.h"

enum { WARM_PASSES = 24 };

/* Shuffled is over the samples of all files, as a training's epoch is. */
#define ORDER   "read --bs=1m --file_service_type=sequential"
#define SHUFFLE "randread --bs=256k --file_service_type=random"

static const struct {
    const char *metric;
    enum samples_way way;
    const char *rw; /* of fio */
    bool cold;
} kinds[] = {{"seq-warm", SAMPLES_RAW_SEQUENTIAL, ORDER, false},
             {"shuffled-warm", SAMPLES_RAW_SHUFFLED, SHUFFLE, false},
             {"seq-cold", SAMPLES_RAW_SEQUENTIAL, ORDER, true},
             {"shuffled-cold", SAMPLES_RAW_SHUFFLED, SHUFFLE, true}};

static void die(const char *what)
{
    fprintf(stderr, "read_bench: %s\n", what);
    exit(1);
}

static void prepare(const struct samples *s, bool cold)
{
    struct err e = ERR_INIT;

    if (!cold)
        return;
    if (samples_drop(s, false, &e) < 0)
        die(e.text);
    if (!(samples_resident(s, false) < 0.01))
        die("the files stay in memory: take another file system");
}

static int passes_of(int kind)
{
    return kinds[kind].cold ? 1 : WARM_PASSES;
}

static double ours(struct samples *s, int kind)
{
    const int passes = passes_of(kind);
    struct err e = ERR_INIT;
    long wrong = 0;

    prepare(s, kinds[kind].cold);
    double begin = clock_now();
    for (int i = 0; i < passes; i++)
        if (samples_pass(s, &wrong, &e) < 0 || wrong)
            die(wrong ? "wrong numbers" : e.text);
    return passes * (double)s->n * SAMPLE_BYTES / (clock_now() - begin);
}

/* One run over all files of many samples; its own clock, bytes/s. */
static double fio(const struct samples *s, int kind)
{
    static char command[1 << 16], line[1 << 14];
    size_t at;
    unsigned long rate = 0;
    FILE *f;

    prepare(s, kinds[kind].cold);
    at = (size_t)snprintf(command, sizeof command,
                          "fio --name=x --minimal --terse-version=3 --ioengine=psync --rw=%s "
                          "--invalidate=0 --norandommap=0 "
                          "--allow_file_create=0 --readonly --loops=%d --offset=%ld --filename=",
                          kinds[kind].rw, passes_of(kind), (long)s->many);
    for (int i = 0; i < s->n_many && at < sizeof command; i++)
        at += (size_t)snprintf(command + at, sizeof command - at, "%s%s/many/train/%05d.h5",
                               i ? ":" : "", s->files->folder, i);
    f = at < sizeof command ? popen(command, "r") : NULL;
    while (f && fgets(line, sizeof line, f)) { /* 3;fio-3.33;x;0;0;KiB;KiB/s;... */
        char *from = line;
        for (int k = 0; k < 6 && from; k++)
            from = strchr(from, ';') ? strchr(from, ';') + 1 : NULL;
        if (line[0] == '3' && from)
            rate = strtoul(from, NULL, 10);
    }
    if (!f || pclose(f) != 0 || rate == 0)
        die("fio failed");
    return (double)rate * 1024;
}

int main(int argc, char **argv)
{
    int pairs = argc > 2 ? atoi(argv[2]) : 40, n = argc > 3 ? atoi(argv[3]) : 1024;
    struct files files;
    struct samples s;
    struct err e = ERR_INIT;

    if (argc < 2 || pairs < 1 || n < 4)
        die("usage: read_bench FOLDER [PAIRS [SAMPLES]]");
    if (files_open(&files, argv[1], 2 * (uint64_t)n * SAMPLE_BYTES, 1, &e) < 0 ||
        samples_make(&s, &files, n, 1, &e) < 0)
        die(e.text);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (samples_open(&s, kinds[k].way, &e) < 0)
            die(e.text);
        ours(&s, (int)k); /* warm-up */
        for (int i = 0; i < pairs; i++) {
            double a = i % 2 ? 0 : ours(&s, (int)k), b = fio(&s, (int)k);
            if (i % 2)
                a = ours(&s, (int)k);
            printf("%s fio %.6g %.6g\n", kinds[k].metric, a, b);
            fflush(stdout);
        }
        samples_shut(&s);
    }
    samples_close(&s);
    files_close(&files, comm_self());
    return 0;
}
