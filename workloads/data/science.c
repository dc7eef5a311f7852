/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/science.h"

#include <stddef.h>
#include <string.h>

#ifndef SCIENCES /* a test has its own */
#define SCIENCES "workloads/data/sciences.def"
#endif

#define SCIENCE(symbol) extern const struct science science_##symbol;
#include SCIENCES

static const struct science *const sciences[] = {
#define SCIENCE(symbol) &science_##symbol,
#include SCIENCES
};

const struct science *science_at(int i)
{
    return i >= 0 && i < (int)(sizeof sciences / sizeof sciences[0]) ? sciences[i] : NULL;
}

const struct science *science_find(const char *name)
{
    const struct science *s;

    for (int i = 0; (s = science_at(i)); i++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

const struct data_class *science_class(const struct science *s, enum runspec_class class)
{
    for (int i = 0; i < s->n_classes; i++)
        if (s->classes[i].class == class)
            return &s->classes[i];
    return NULL;
}

int science_layout(const struct science *s, const char *name)
{
    for (int i = 0; i < s->n_layouts; i++)
        if (strcmp(s->layouts[i].name, name) == 0)
            return i;
    return -1;
}

int science_field(const struct science *s, const char *name)
{
    for (int k = 0; k < s->n_fields; k++)
        if (strcmp(s->fields[k].name, name) == 0)
            return k;
    return -1;
}

const char *science_name(const struct field *f, long i)
{
    for (long k = 0; f->names && f->names[k]; k++)
        if (k == i)
            return f->names[k];
    return NULL;
}

uint64_t science_dims(const struct science *s, int k, const struct data_class *c,
                      long dims[SCIENCE_AXES])
{
    static const char letters[] = "czyx";
    const struct field *f = &s->fields[k];
    uint64_t values = 1;

    for (int i = 0; f->axes[i]; i++) {
        long n = f->size[i] ? f->size[i] : c->size[strchr(letters, f->axes[i]) - letters];
        if (dims)
            dims[i] = n;
        values *= (uint64_t)n;
    }
    return values;
}

size_t number_bytes(enum number n)
{
    static const size_t bytes[] = {
        [NUMBER_INT16] = 2, [NUMBER_FLOAT] = 4, [NUMBER_UINT8] = 1, [NUMBER_INT32] = 4};

    return bytes[n];
}

uint64_t science_sample_bytes(const struct science *s, const struct data_class *c)
{
    uint64_t bytes = 0;

    for (int k = 0; k < s->n_fields; k++)
        bytes += science_dims(s, k, c, NULL) * number_bytes(s->fields[k].stored);
    return bytes;
}

uint64_t science_per_file(const struct science *s, const struct layout *l,
                          const struct data_class *c)
{
    uint64_t per = 1;

    if (strchr(l->place[0].axes, 'n'))
        return (uint64_t)c->per_file;
    for (const char *a = s->fields[0].axes; l->cut && *a; a++)
        per *= *a == 'c' ? 1 : (uint64_t)c->cuts;
    return per;
}
