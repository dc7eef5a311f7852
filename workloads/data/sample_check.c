/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/sample_check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { LANES = 32 };

/* Values that are right are looked at in whole runs of lanes, which compilers
 * make vectors of; which one is wrong is asked only when one is. */

static bool signs_fit(const int16_t *v, size_t n)
{
    int16_t lane[LANES] = {0}, signs = 0;

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] |= v[i + (size_t)k];
    for (int k = 0; k < LANES; k++)
        signs |= lane[k];
    for (size_t i = n - n % LANES; i < n; i++)
        signs |= v[i];
    return signs >= 0;
}

static bool integers_fit(const int16_t *v, size_t n, int least, int greatest)
{
    int16_t wrong[LANES] = {0}, any = 0;

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            wrong[k] |= (int16_t)((v[i + (size_t)k] < least) | (v[i + (size_t)k] > greatest));
    for (int k = 0; k < LANES; k++)
        any |= wrong[k];
    for (size_t i = n - n % LANES; i < n; i++)
        any |= (int16_t)((v[i] < least) | (v[i] > greatest));
    return !any;
}

static bool floats_fit(const float *v, size_t n, float least, float greatest)
{
    int wrong[LANES] = {0}, any = 0;

    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            wrong[k] |= !(v[i + (size_t)k] >= least) | !(v[i + (size_t)k] <= greatest);
    for (int k = 0; k < LANES; k++)
        any |= wrong[k];
    for (size_t i = n - n % LANES; i < n; i++)
        any |= !(v[i] >= least) | !(v[i] <= greatest);
    return !any;
}

static bool are_whole(const float *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (truncf(v[i]) != v[i])
            return false;
    return true;
}

static bool fit(const struct field *field, const struct h5_set *s, const void *values, size_t n)
{
    if (s->type == NUMBER_INT16) {
        if (field->least == 0 && field->greatest >= INT16_MAX)
            return signs_fit(values, n);
        return integers_fit(values, n, field->least < INT16_MIN ? INT16_MIN : (int)field->least,
                            field->greatest > INT16_MAX ? INT16_MAX : (int)field->greatest);
    }
    return floats_fit(values, n, (float)field->least, (float)field->greatest) &&
           (!field->whole || are_whole(values, n));
}

/* "finite numbers", "whole numbers from 0 to 5" */
static const char *describe(const struct field *field, char *text, size_t size)
{
    const char *what = field->whole ? "whole numbers" : "numbers";

    if (field->least > -FLT_MAX && field->greatest < FLT_MAX)
        snprintf(text, size, "%s from %g to %g", what, field->least, field->greatest);
    else if (field->least > -FLT_MAX)
        snprintf(text, size, "finite %s from %g", what, field->least);
    else if (field->greatest < FLT_MAX)
        snprintf(text, size, "finite %s up to %g", what, field->greatest);
    else
        snprintf(text, size, "finite %s", what);
    return text;
}

static bool fits_one(const struct field *field, const struct h5_set *s, const void *values,
                     uint64_t i, double *value)
{
    *value =
        s->type == NUMBER_INT16 ? ((const int16_t *)values)[i] : (double)((const float *)values)[i];
    return *value >= field->least && *value <= field->greatest &&
           (!field->whole || trunc(*value) == *value);
}

int sample_check(const struct field *field, const struct h5_set *s, const struct h5_region *r,
                 const void *values, struct err *e)
{
    char index[H5_INDEX_SIZE], expected[96];
    uint64_t n = 1, bad = 0, at[H5_AXES] = {0};
    double value = 0;

    for (int i = 0; i < s->rank; i++)
        n *= r->size[i];
    if (fit(field, s, values, (size_t)n))
        return 0;
    while (bad + 1 < n && fits_one(field, s, values, bad, &value))
        bad++;
    fits_one(field, s, values, bad, &value);
    for (int i = s->rank - 1; i >= 0; i--) {
        at[i] = r->corner[i] + bad % r->size[i];
        bad /= r->size[i];
    }
    return err_set(e, "%s: dataset '%s' has %g%s%s, expected %s", s->file->path, s->name, value,
                   s->rank ? " at " : "", h5_index(index, s->rank, at),
                   describe(field, expected, sizeof expected));
}
