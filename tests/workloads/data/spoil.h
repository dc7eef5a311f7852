/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways to spoil a file of fixture.h, and what the reader says of each. */
#ifndef DATA_SPOIL_H
#define DATA_SPOIL_H

#include <stdbool.h>
#include <stddef.h>

#include <hdf5.h>

struct spoil {
    void (*spoil)(const char *path);
    const char *sentence; /* after the path: how it begins */
};

/* NULL past the end. */
const struct spoil *spoil_at(size_t i);
bool spoil_is_said(const struct spoil *s, const char *after_path);

/* Two that other tests need too. */
void spoil_foreign_filter(const char *path);
void spoil_no_hdf5(const char *path);

/* Without a dataset; with another one of that name. */
void spoil_without(const char *path, const char *name);
void spoil_put(const char *path, const char *name, hid_t type, int rank, const hsize_t *dims,
               hid_t held, const void *data);

#endif
