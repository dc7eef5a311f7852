/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sample of a science is, and where files keep it.
 *
 * The generator, the reader, the loader, the cache, `hpcai500 data` and the
 * harness know a science by these constant tables only; a science is one file
 * of them (data/science_NAME.c) and one row in sciences.def.
 *
 * Axes are letters: 'c' channels, 'z' 'y' 'x' space, 'n' the samples of a file.
 * A field has the axes of one sample; a place has those of the dataset in the
 * file, in any order: with 'n' the file holds many samples, without it one (or,
 * where the layout is cut, several).
 *
 * Life:    constant data.
 * Failure: none.
 * Threads: any.
 */
#ifndef DATA_SCIENCE_H
#define DATA_SCIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/runspec.h"

enum { SCIENCE_FIELDS = 6, SCIENCE_AXES = 4, SCIENCE_PARTS = 3, SCIENCE_BASELINES = 8 };

/* How values are held: in memory (INT16 where every stored value fits, else
 * FLOAT), and in the files of the generator (all four, little-endian). */
enum number { NUMBER_INT16, NUMBER_FLOAT, NUMBER_UINT8, NUMBER_INT32 };

struct field {
    const char *name;        /* "x", "label" */
    const char *title;       /* "particles in a cell": for a person */
    const char *axes;        /* of one sample: "zyxc"; "": one number */
    long size[SCIENCE_AXES]; /* along each; 0: the class's own */
    bool cube;               /* the axes of size 0 are all as long as each other */
    bool floats;             /* becomes FLOAT in memory, whatever the file holds */
    bool whole;              /* classes, counts: a fraction is refused */
    double least, greatest;  /* inclusive; NaN is always refused */
    enum number stored;      /* what the generator writes */
    bool optional;           /* a file may lack it: then all values are ... */
    float fallback;
    bool answer; /* what a network is to say: a set that lacks it (optional, fallback NaN)
                  * can be looked at, not trained on; all of its files have it, or none */
    /* For a person: of the values of a whole-number field from `least` on, else of the
     * channels, with their units; ends with NULL. NULL: they have none. */
    const char *const *names;
};

/* Where one published layout keeps a field. */
struct place {
    /* Datasets by their path in the file; several are the parts of the field's
     * first axis, in order, and lack it. NULL first: the layout has no such
     * field, which must be optional. */
    const char *path[SCIENCE_PARTS];
    const char *axes; /* as stored: "nyxc" */
};

/* The first layout all of whose datasets are there, with axes that fit, is the
 * file's. */
struct layout {
    const char *name; /* "cut" */
    /* Field 0 is larger than a sample by a whole number along each axis but c,
     * and is cut into samples, the last axis fastest; the other fields belong
     * to all of them. */
    bool cut;
    struct place place[SCIENCE_FIELDS];
};

/* The set of a size class. */
struct data_class {
    enum runspec_class class;
    long size[SCIENCE_AXES]; /* for the axes of size 0 of every field, by their letter: c z y x */
    long train, validation;  /* samples */
    long cuts;               /* generated cut layouts: samples along each axis of a file */
    long per_file;           /* generated layouts with n: samples of a file, and of a chunk */
    long per_chunk;
    int deflate;          /* level; 6 is gzip's own, as most published files have */
    double deflates;      /* measured: bytes of the values to those of the files */
    int seconds_per_1000; /* core-seconds to make 1,000 samples, for the plan */
    const void *own;      /* the generator's */
};

struct science {
    const char *name;  /* "cosmo": in the cache's folder names and the manifest */
    const char *title; /* "N-body cubes" */
    int version;       /* of the generator: grows when a seed gives other bytes */
    uint64_t seed;     /* the sets of the classes are always made from it */
    const char *stem;  /* of generated files: "cube" */
    const struct field *fields;
    int n_fields;
    const struct layout *layouts; /* the first is the generator's default */
    int n_layouts;
    const struct data_class *classes;
    int n_classes;
    /* Baselines that the generator leaves in the manifest, by name. */
    const char *baselines[SCIENCE_BASELINES];
    /* Names of files beside the samples that hold no samples ("stats.h5"). */
    const char *side_files[SCIENCE_PARTS];
};

/* Of the table sciences.def; NULL past the end, or when no science has that name. */
const struct science *science_at(int i);
const struct science *science_find(const char *name);

/* Row of a class, NULL when the science does not have it. */
const struct data_class *science_class(const struct science *s, enum runspec_class class);

/* Index of a layout by name, of a field by name; -1. */
int science_layout(const struct science *s, const char *name);
int science_field(const struct science *s, const char *name);

/* Name i of a field's, NULL where it has none. */
const char *science_name(const struct field *f, long i);

/* Sizes of field k of one sample in a class, in the order of its axes; returns
 * the number of values. dims may be NULL. */
uint64_t science_dims(const struct science *s, int k, const struct data_class *c,
                      long dims[SCIENCE_AXES]);

/* Bytes of one sample's values as the generator stores them, not deflated. */
uint64_t science_sample_bytes(const struct science *s, const struct data_class *c);

/* Bytes of one number of that type. */
size_t number_bytes(enum number n);

/* Samples of a generated file; of one cut (cuts along each axis but c), of one
 * with n, else 1. */
uint64_t science_per_file(const struct science *s, const struct layout *l,
                          const struct data_class *c);

#endif
