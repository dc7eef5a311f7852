/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of an epoch's samples. */
#include <config.h>

#include "workloads/data/loader.h"

#include "workloads/philox.h"

enum {
    WINDOW_BYTES = 48 << 20 /* of groups whose samples are mixed: the reader's cache holds two */
};

/* Streams of one seed that must not meet. */
#define ORDER_KEY UINT64_C(0x6f72646572000000)
#define GROUP_KEY UINT64_C(0x67726f7570000000)

/* Fisher & Yates, each draw a function of its position: `first` of the whole. */
static void mix(uint64_t *v, uint64_t n, uint64_t first, uint64_t key, uint64_t epoch)
{
    for (uint64_t i = n; i-- > 1;) {
        uint32_t r[4];
        philox_at(key, epoch, first + i, r);
        uint64_t bits = (uint64_t)r[0] << 32 | r[1];
        uint64_t j = (uint64_t)((unsigned __int128)bits * (i + 1) >> 64);
        uint64_t t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}

/* The samples of the groups in their new sequence, mixed window by window. */
static void mix_groups(const struct dataset_info *info, uint64_t key, uint64_t epoch,
                       const uint64_t *group, uint64_t *order)
{
    const uint64_t fit = WINDOW_BYTES / (info->group_bytes ? info->group_bytes : 1);
    const uint64_t window = fit > 1 ? fit : 1;
    uint64_t at = 0, begin = 0;

    for (uint64_t g = 0; g < info->groups; g++) {
        for (uint64_t i = info->group_start[group[g]]; i < info->group_start[group[g] + 1]; i++)
            order[at++] = i;
        if ((g + 1) % window == 0 || g + 1 == info->groups) {
            mix(order + begin, at - begin, begin, key, epoch);
            begin = at;
        }
    }
}

void loader_order(const struct dataset_info *info, uint64_t seed, uint64_t epoch, bool shuffle,
                  uint64_t *order, uint64_t *group)
{
    for (uint64_t i = 0; i < info->samples; i++)
        order[i] = i;
    if (!shuffle)
        return;
    if (!info->group_start) {
        mix(order, info->samples, 0, seed ^ ORDER_KEY, epoch);
        return;
    }
    for (uint64_t g = 0; g < info->groups; g++)
        group[g] = g;
    mix(group, info->groups, 0, seed ^ GROUP_KEY, epoch);
    mix_groups(info, seed ^ ORDER_KEY, epoch, group, order);
}
