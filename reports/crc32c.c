/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/crc32c.h"

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    const unsigned char *c = p;

    crc = ~crc;
    for (; n; n--) {
        crc ^= *c++;
        for (int bit = 0; bit < 8; bit++) /* polynomial 0x1edc6f41, reflected */
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}
