/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the draws of a sample's weather start in its Philox stream, one place for
 * each part, so that no part's draws move another's.
 *
 * Life:    the reader is plain data.
 * Failure: none.
 * Threads: pure.
 */
#ifndef WEATHER_STREAMS_H
#define WEATHER_STREAMS_H

#include "workloads/generate/gen_draw.h"

enum weather_stream {
    STREAM_JETS,
    STREAM_EDDIES,
    STREAM_MOISTURE,
    STREAM_CLIMATE,
    STREAM_VORTICES,
    STREAM_RAIN,
    STREAM_NOISE /* and one behind it for each channel */
};

static inline struct draw stream_open(uint64_t seed, uint64_t sample, int which)
{
    struct draw d;

    draw_init(&d, seed, sample);
    d.index = (uint64_t)which << 40;
    return d;
}

#endif
