/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/crc32c.h"

/* Row i: the remainder of the four bits i; polynomial 0x1edc6f41, reflected. */
static const uint32_t nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

#if defined __x86_64__ && defined __GNUC__
/* The processor's own, eight bytes at a time: what a bundle holds is summed
 * each time that it is read. */
__attribute__((target("sse4.2"))) static const unsigned char *
by_processor(uint32_t *crc, const unsigned char *c, size_t *n)
{
    uint64_t sum = *crc, word;

    for (; *n >= sizeof word; *n -= sizeof word, c += sizeof word) {
        __builtin_memcpy(&word, c, sizeof word);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    *crc = (uint32_t)sum;
    return c;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    const unsigned char *c = p;

    crc = ~crc;
#if defined __x86_64__ && defined __GNUC__
    if (__builtin_cpu_supports("sse4.2"))
        c = by_processor(&crc, c, &n);
#endif
    for (; n; n--) {
        crc ^= *c++;
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}
