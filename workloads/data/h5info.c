/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/h5info.h"

#include <stdio.h>

#include <hdf5.h>

/* One filter by name; HDF5's own are those of its format specification. */
static int name_filter(hid_t p, unsigned i, struct h5_info *info, char *to, size_t size)
{
    static const char *const names[] = {[H5Z_FILTER_SHUFFLE] = "shuffle",
                                        [H5Z_FILTER_FLETCHER32] = "fletcher32",
                                        [H5Z_FILTER_SZIP] = "szip",
                                        [H5Z_FILTER_NBIT] = "nbit",
                                        [H5Z_FILTER_SCALEOFFSET] = "scaleoffset"};
    unsigned flags, config, value[8] = {0};
    size_t n = sizeof value / sizeof value[0];
    const H5Z_filter_t id = H5Pget_filter2(p, i, &flags, &n, value, 0, NULL, &config);

    if (id == H5Z_FILTER_DEFLATE) {
        info->deflated = true;
        return snprintf(to, size, "%sdeflate %u", i ? ", " : "", value[0]);
    }
    if (id > 0 && id < (int)(sizeof names / sizeof names[0]) && names[id])
        return snprintf(to, size, "%s%s", i ? ", " : "", names[id]);
    return snprintf(to, size, "%sfilter %d", i ? ", " : "", id);
}

void h5_info(const struct h5_set *s, struct h5_info *info)
{
    size_t at = 0;

    *info = (struct h5_info){0};
    h5_lock();
    hid_t p = H5Dget_create_plist(s->id);
    const int n = p >= 0 ? H5Pget_nfilters(p) : 0;
    info->bytes = H5Dget_storage_size(s->id);
    for (int i = 0; i < n && at < sizeof info->filters; i++)
        at += (size_t)name_filter(p, (unsigned)i, info, info->filters + at,
                                  sizeof info->filters - at);
    if (p >= 0)
        H5Pclose(p);
    h5_unlock();
}
