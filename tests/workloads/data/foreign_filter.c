/* SPDX-License-Identifier: BSD-3-Clause */
/* A filter as HDF5 loads them from HDF5_PLUGIN_PATH. It does nothing but to
 * leave word that somebody's code ran in the reader. */
#include <config.h>

#include <stdlib.h>

#include <hdf5.h>

#include "tests/workloads/data/fixture.h"

H5PL_type_t H5PLget_plugin_type(void);
const void *H5PLget_plugin_info(void);

static size_t copy(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *room,
                   void **buf)
{
    (void)flags, (void)n, (void)values, (void)room, (void)buf;
    return bytes;
}

__attribute__((constructor)) static void leave_word(void)
{
    setenv(FOREIGN_FILTER_RAN, "1", 1);
}

H5PL_type_t H5PLget_plugin_type(void)
{
    return H5PL_TYPE_FILTER;
}

const void *H5PLget_plugin_info(void)
{
    static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, FOREIGN_FILTER, 1,    1,
                                        "foreign",        NULL,           NULL, copy};

    return &filter;
}
