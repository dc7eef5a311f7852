/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a back end is to counters.c, and what it may call (sources.c, files.c).
 * Private to papi/.
 *
 * Most back ends only *find*: they tell which number in which small file
 * belongs to which counter (source_file), and counters.c reads those files
 * at each border, each file once. A back end whose numbers come by a system
 * call or a library adds a source without a file (source_add) and says its
 * raw reading in read().
 *
 * A counter may have several sources (ports, packages, threads): what they
 * added is summed. A counter that gets no source in probe() must get its
 * reason there (counter_off); the first sentence stays.
 *
 * Failure: none but memory: -1 then. Threads: as counters.h.
 */
#ifndef PAPI_BACKEND_H
#define PAPI_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "papi/counters.h"

enum { REASON_BYTES = 240, SOURCE_TEXT_BYTES = 128, FILE_BYTES = 65536 };

/* How to take a number out of a file's text: the field-th (from 0) number
 * after the word key, NULL: from the start of the file. */
struct pick {
    const char *key;
    int field;
    enum {
        PICK_FIRST, /* one line has it */
        PICK_SUM,   /* sum over all lines that have the key, at least one */
        PICK_SUM0   /* the same, and no line is 0 */
    } lines;
};

struct source {
    int counter;
    double scale; /* raw -> unit of the counter */
    /* A reading below the last one is a wrap by `wrap` when the last one was
     * at least `wrap_from`; else the counter was set back. 0: never wraps. */
    double wrap, wrap_from;
    double stuck;           /* this reading means "at least": 0 none */
    double max_gap_seconds; /* it may wrap twice in longer; 0: no limit */
    /* Kept by counters.c. */
    int file;     /* -1: read by the back end */
    int next;     /* in the same file, -1: last */
    char key[32]; /* what pick.key points to */
    struct pick pick;
    bool known; /* last is a reading */
    double last;
    bool now_known;
    double now;
    char why[REASON_BYTES]; /* not now_known: why */
};

struct counters;

struct backend {
    const char *name; /* as in counters.def */
    enum counters_backend bit;
    int (*probe)(struct counters *c); /* -1: out of memory */
    void (*read)(struct counters *c); /* may be NULL */
    void (*close)(struct counters *c);
};

extern const struct backend backend_papi, backend_perf, backend_proc, backend_net,
    backend_infiniband, backend_energy, backend_cgroup, backend_cpu, backend_socket;

/* --- for probe() --- */

/* Adds a copy of *s that reads `path` (below the root) with pick p. The file
 * is tried at once; if that fails the counter is off for good, whatever other
 * sources it has: a sum without one of its parts would be a lie. -1: out of
 * memory. */
int source_file(struct counters *c, const struct source *s, const char *path, struct pick p);

/* Whether source_file would find a number; if not, why (REASON_BYTES). */
bool can_pick(struct counters *c, const char *path, struct pick p, char *why);

/* Adds a copy of *s, read by the back end. Returns its index, -1: no memory. */
int source_add(struct counters *c, const struct source *s);

/* Says what counters_source() answers; printf. */
void counter_from(struct counters *c, int counter, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Reason why the counter is off, shown when it ends without a source. A
 * second way that failed too is appended. */
void counter_off(struct counters *c, int counter, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, whatever sources it has: one part of its sum is missing. */
void counter_bar(struct counters *c, int counter, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same as counter_off for every counter of that back end that has no source and no
 * reason yet. */
void backend_off(struct counters *c, const char *backend, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

bool counter_has_source(const struct counters *c, int counter);

/* Ranks that see the same `id` (of that machine) see the same counter. */
void counter_domain(struct counters *c, int counter, const char *id);

/* --- for read() --- */

/* Part of the time that the counter was really counted, 0..1, NAN unknown;
 * the smallest said in one reading holds, 1 by default. */
void counter_ratio(struct counters *c, int counter, double ratio);

void source_now(struct counters *c, int source, double raw);
void source_lost(struct counters *c, int source, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* State of a back end between probe and close; NULL before. */
void **backend_state(struct counters *c, enum counters_backend b);

/* --- small files below the root (files.c) --- */

/* The root's path for an absolute path; cut paths do not exist. */
void root_path(const struct counters *c, char *buf, size_t size, const char *path);

/* Reads path below the root, NUL-terminated, at most size - 1 bytes. Returns
 * the length or -errno; -EFBIG when there is more. */
ssize_t read_small(const struct counters *c, const char *path, char *buf, size_t size);

/* One word or line without the newline; "" when it cannot be read. */
void read_line(const struct counters *c, const char *path, char *buf, size_t size);

/* Sentence for a file that could not be read: its errno, and for a
 * permission also the file's mode. */
void why_unread(const struct counters *c, const char *path, int err, char *why, size_t size);

/* The number that p takes out of text; false when there is none. */
bool pick_number(const char *text, const struct pick *p, double *value);

/* Calls f for every name in the folder below the root, sorted, without dot
 * names. Returns the number of names or -errno; stops when f returns < 0,
 * which is then the answer (-ENOMEM). */
int each_name(struct counters *c, const char *dir,
              int (*f)(struct counters *c, const char *name, void *ctx), void *ctx);

/* The same for /proc/self/DIR, never below the root: "task", "fd". */
int each_own(struct counters *c, const char *dir,
             int (*f)(struct counters *c, const char *name, void *ctx), void *ctx);

#endif
