/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/gzip.h"

#include <stdint.h>
#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 /* zlib: the largest window, gzip's header */ };

void *gzip_pack(const void *bytes, size_t size, size_t *packed)
{
    z_stream z = {0};
    unsigned char *out = NULL;

    if (size > UINT32_MAX ||
        deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    const size_t room = deflateBound(&z, size);
    if ((out = malloc(room))) {
        z.next_in = (Bytef *)(uintptr_t)bytes;
        z.avail_in = (uInt)size;
        z.next_out = out;
        z.avail_out = (uInt)room;
        if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
            free(out);
            out = NULL;
        }
        *packed = z.total_out;
    }
    deflateEnd(&z);
    return out;
}
#else
void *gzip_pack(const void *bytes, size_t size, size_t *packed)
{
    (void)bytes, (void)size, (void)packed;
    return NULL;
}
#endif
