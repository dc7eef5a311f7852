/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "reports/core/clock.h"
#include "workloads/data/inflate.h"

enum { SUM_BYTES = 4, SUM_WORDS = 360 /* that 32 bits can add up before they are folded */ };

static int make_room(void **p, size_t *have, size_t want, struct err *e)
{
    if (*have >= want)
        return 0;
    void *q = realloc(*p, want);
    if (!q)
        return err_set(e, "no memory for a chunk of %zu bytes", want);
    *p = q;
    *have = want;
    return 0;
}

/* Between filters a chunk may have its checksums. */
static size_t between(const struct chunk_form *f)
{
    return f->bytes + (size_t)f->filters * SUM_BYTES;
}

int chunk_prepare(const struct chunk_form *f, struct chunk_scratch *s, size_t stored, struct err *e)
{
    const size_t plain = between(f) > f->room ? between(f) : f->room;
    size_t other = s->plain_size;

    if (make_room(&s->stored, &s->stored_size, stored > f->room ? stored : f->room, e) < 0)
        return -1;
    if (f->filters == 0)
        return 0;
    if (!s->inflate && !(s->inflate = inflate_create(false)))
        return err_set(e, "no memory to inflate chunks");
    return make_room(&s->plain[1], &other, plain, e) < 0 ||
                   make_room(&s->plain[0], &s->plain_size, plain, e) < 0
               ? -1
               : 0;
}

/* Bytes of equal rank were stored together: give each value its own again. What
 * is no whole value lies at the end as it was. */
static void unshuffle(const unsigned char *from, unsigned char *to, size_t bytes, size_t element)
{
    const size_t n = bytes / element;

    if (element == 2)
        for (size_t i = 0; i < n; i++) {
            to[2 * i] = from[i];
            to[2 * i + 1] = from[n + i];
        }
    else
        for (size_t b = 0; b < element; b++)
            for (size_t i = 0; i < n; i++)
                to[i * element + b] = from[b * n + i];
    memcpy(to + n * element, from + n * element, bytes % element);
}

static uint32_t fold(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t chunk_fletcher32(const unsigned char *p, size_t n)
{
    uint32_t a = 0, b = 0;

    for (size_t words = n / 2; words > 0;) {
        size_t some = words < SUM_WORDS ? words : SUM_WORDS;
        words -= some;
        for (; some > 0; some--, p += 2) {
            a += (uint32_t)p[0] << 8 | p[1];
            b += a;
        }
        a = fold(a);
        b = fold(b);
    }
    if (n % 2) {
        a += (uint32_t)*p << 8;
        b += a;
        a = fold(a);
        b = fold(b);
    }
    return fold(b) << 16 | fold(a);
}

/* The bytes before a sum that is right, else -1. */
static long checked(const unsigned char *p, size_t n)
{
    if (n < SUM_BYTES)
        return -1;
    n -= SUM_BYTES;
    const uint32_t sum = (uint32_t)p[n] | (uint32_t)p[n + 1] << 8 | (uint32_t)p[n + 2] << 16 |
                         (uint32_t)p[n + 3] << 24;
    return sum == chunk_fletcher32(p, n) ? (long)n : -1;
}

/* Undoes one filter; the bytes that there are then, or -1. */
static long undo(const struct chunk_form *f, enum chunk_filter filter, struct inflate *z,
                 const void *from, size_t bytes, void *to)
{
    long n = (long)bytes;

    if (filter == CHUNK_DEFLATE)
        return inflate_run(z, from, bytes, to, between(f));
    if (bytes > between(f))
        return -1;
    if (filter == CHUNK_SHUFFLE)
        unshuffle(from, to, bytes, f->element);
    else if ((n = checked(from, bytes)) > 0)
        memcpy(to, from, (size_t)n);
    return n;
}

static void *decode(const struct chunk_form *f, struct chunk_scratch *s, size_t stored,
                    unsigned mask)
{
    void *at = s->stored;
    long have = (long)stored;
    int next = 0;

    for (int i = f->filters - 1; have >= 0 && i >= 0; i--) {
        if (mask & 1u << i)
            continue;
        have = undo(f, f->filter[i], s->inflate, at, (size_t)have, s->plain[next]);
        at = s->plain[next];
        next = !next;
    }
    return have >= 0 && (size_t)have == f->bytes ? at : NULL;
}

void *chunk_decode(const struct chunk_form *f, struct chunk_scratch *s, size_t stored,
                   unsigned mask)
{
    const double since = clock_now(), cpu = clock_thread();

    atomic_store_explicit(&s->decoding, true, memory_order_relaxed);
    void *chunk = decode(f, s, stored, mask);
    atomic_store_explicit(&s->decoding, false, memory_order_relaxed);
    s->seconds += clock_now() - since;
    s->cpu_seconds += clock_thread() - cpu;
    return chunk;
}

void chunk_scratch_fini(struct chunk_scratch *s)
{
    free(s->stored);
    free(s->plain[0]);
    free(s->plain[1]);
    inflate_destroy(s->inflate);
    *s = (struct chunk_scratch){0};
}
