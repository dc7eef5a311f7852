/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes an old format's file holds (first byte: which format): it is refused with
 * a sentence, or its arrays have the sizes that they say. Of raw numbers, what stands before
 * the first NUL is the sidecar.
 *
 * links: workloads/data/import.c workloads/data/netcdf.c lib:reports/core
 */
#include <config.h>

#include <math.h>

#include "tests/fuzz.h"
#include "workloads/data/import.h"

static bool wants(void *ctx, const char *name)
{
    (void)ctx;
    must(name[0] && !strchr(name, '/'), "an array has a name that is no path");
    return true;
}

static int put(void *ctx, const struct import_array *a, struct err *e)
{
    uint64_t values = 1;
    float sum = 0;

    (void)ctx, (void)e;
    must(a->rank >= 0 && a->rank <= IMPORT_AXES, "axes are few");
    for (int i = 0; i < a->rank; i++)
        values *= a->dims[i];
    must(values == a->values, "an array has as many values as its sizes say");
    for (uint64_t i = 0; i < a->values; i++)
        sum += a->v[i];
    must(isnan(sum) || sum == sum, "all values can be read");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct import_sink to = {wants, put, NULL};
    struct err e = ERR_INIT;

    if (size < 1)
        return 0;
    const enum import_format format = (enum import_format)(data[0] % 3);
    char *text = fuzz_copy(data + 1, size - 1, true);
    const size_t words = format == IMPORT_RAW ? strlen(text) : 0;
    const size_t skip = format == IMPORT_RAW && words < size - 1 ? words + 1 : words;
    char *bytes = fuzz_copy(data + 1 + skip, size - 1 - skip, false);
    if (import_bytes(format, (const unsigned char *)bytes, size - 1 - skip, "fuzz", text, &to, &e) <
        0)
        must(e.text[0], "a refusal says why");
    free(bytes);
    free(text);
    return 0;
}
