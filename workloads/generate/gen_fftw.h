/* SPDX-License-Identifier: BSD-3-Clause */
/* FFTW's name as manifests have it. Generators ask for none of its faster code
 * paths (FFTW_ESTIMATE | FFTW_NO_SIMD), so that a transform's bits are the same on
 * every CPU. */
#ifndef GENERATE_GEN_FFTW_H
#define GENERATE_GEN_FFTW_H

#include <fftw3.h>
#include <stdio.h>
#include <string.h>

/* "fftw-3.3.10" of "fftw-3.3.10-sse2-avx". */
static inline const char *gen_fftw_name(void)
{
    static char text[32];
    const char *dash = strchr(fftw_version, '-');
    size_t n =
        dash ? (size_t)(dash + 1 - fftw_version) + strcspn(dash + 1, "-") : strlen(fftw_version);

    snprintf(text, sizeof text, "%.*s", (int)n, fftw_version);
    return text;
}

#endif
