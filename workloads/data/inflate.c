/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/inflate.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

struct inflate {
#ifdef HAVE_LIBDEFLATE
    struct libdeflate_decompressor *fast; /* NULL: zlib */
#else
    const void *fast;
#endif
};

struct inflate *inflate_create(bool plain)
{
    struct inflate *z = calloc(1, sizeof *z);

#ifdef HAVE_LIBDEFLATE
    if (z && !plain && !(z->fast = libdeflate_alloc_decompressor())) {
        free(z);
        z = NULL;
    }
#else
    (void)plain;
#endif
    return z;
}

void inflate_destroy(struct inflate *z)
{
#ifdef HAVE_LIBDEFLATE
    if (z && z->fast)
        libdeflate_free_decompressor(z->fast);
#endif
    free(z);
}

const char *inflate_name(const struct inflate *z)
{
    return z->fast ? "libdeflate" : "zlib";
}

long inflate_run(struct inflate *z, const void *from, size_t bytes, void *to, size_t room)
{
    uLongf got = room;

    if (room == 0 || room > LONG_MAX) /* zlib takes a byte for no room */
        return -1;
#ifdef HAVE_LIBDEFLATE
    size_t n;
    if (z->fast)
        return libdeflate_zlib_decompress(z->fast, from, bytes, to, room, &n) == LIBDEFLATE_SUCCESS
                   ? (long)n
                   : -1;
#else
    (void)z;
#endif
    return uncompress(to, &got, from, bytes) == Z_OK ? (long)got : -1;
}
