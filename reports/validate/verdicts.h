/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verdicts on nodes, kept: a file of the site, one line of JSON for each node and run of
 * `hpcai500 validate`, appended (lines.h).
 *
 *   {"hpcai500":"verdict 1","node":"n03","class":"AMD EPYC 7543 x64","verdict":"SLOW",
 *    "gated":false,"metric":"memory.triad","loss":48.1,"limit":4.3,"blind":4.3,
 *    "reason":"memory.triad -48 % vs baseline","cluster":"c","job":4711,"run":"4711",
 *    "boot_id":"...","serial":"...","time":1764511620}
 *
 * Lines of another kind, of a newer version, or that a crash cut short are skipped by
 * who reads: others may keep their own kinds in the same file ("hpcai500":"KIND N").
 * `run` and `node` together name a line; filing the same again adds nothing.
 *
 * Of each node the newest verdict stays for ever. When the file has doubled (and is
 * VERDICTS_LEAST bytes) it is written anew with the newest VERDICTS_KEEP of each node, or
 * half, a quarter, ... of them where that is more than VERDICTS_MOST bytes.
 *
 * Life:    plain values; verdicts_read() returns an array to free().
 * Failure: -1 and a sentence. A file that is not there has no verdicts.
 * Threads: pure functions but for the file, of which one process at a time is the writer.
 */
#ifndef VALIDATE_VERDICTS_H
#define VALIDATE_VERDICTS_H

#include <stdbool.h>

#include "reports/core/err.h"
#include "reports/judge/verdict.h"

enum {
    VERDICT_NAME_SIZE = 256,
    VERDICT_LINE_SIZE = 4096, /* with its newline */
    VERDICTS_KEEP = 16,
    VERDICTS_LEAST = 1 << 20, /* bytes */
    VERDICTS_MOST = 64 << 20
};

struct verdict_line {
    char node[VERDICT_NAME_SIZE];
    char class[96];   /* of hardware: nodes of one class are compared; "" not known */
    char word[16];    /* verdict_word() */
    bool gated;       /* it stood out in a first look and was not measured again */
    char metric[64];  /* that decided: "memory.triad"; "" none did */
    double loss;      /* %: of it, confirmed; NAN none */
    double limit;     /* %: above which it is significant; NAN none */
    double blind;     /* %: smallest loss that the run sees nine times in ten, worst metric;
                      * NAN not known */
    char reason[128]; /* METRIC WHAT, ASCII, no quote: what a drain reason says */
    char cluster[64]; /* "" not known */
    long job;         /* that measured it last; 0: none, it never ran */
    char run[64];     /* of hpcai500 validate */
    char boot_id[40]; /* of the node when it was measured; "" not known */
    char serial[64];  /* of its board; "" not readable */
    long time;        /* Unix seconds, when it was measured */
};

enum verdict verdict_of(const struct verdict_line *v);

/* The line with its newline; false when it does not fit. */
bool verdict_print(const struct verdict_line *v, char line[VERDICT_LINE_SIZE]);
/* 0, or -1: not a verdict of this version. */
int verdict_line_parse(const char *line, struct verdict_line *v);

/* The file of verdicts beside a history: FOLDER/verdicts.jsonl of /FOLDER/history.sqlite. */
int verdicts_path(const char *history, char *path, int size, struct err *e);

/* Appends those lines that are not there yet, all at once, on the device. Makes the file
 * (0640). */
int verdicts_append(const char *path, const struct verdict_line *v, int n, struct err *e);

/* All of them in the order of the file. */
int verdicts_read(const char *path, struct verdict_line **v, int *n, struct err *e);

/* The newest of a node: greatest time, of equals the last; NULL: none. */
const struct verdict_line *verdicts_newest(const struct verdict_line *v, int n, const char *node);

#endif
