/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of value that a text of keys can have: parsed into a field of a
 * struct and printed back in canonical spelling. A module has a table of keys
 * (runspec, conf, the plugin's plugstack arguments) and a style, which is how
 * its text is written; a kind that only one of them has is a struct keys_kind
 * of its own.
 *
 * Life:    constant tables; nothing to free.
 * Failure: -1 and a sentence with key, value and the nearest good one; the
 *          field is unchanged.
 * Threads: pure functions.
 */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

struct keys_key;

struct keys_style {
    const char *before; /* of a key in a sentence: "plugstack argument " */
    const char *equals; /* "=" or " = " */
    char comma;         /* between the words of a list */
};

/* base is the struct that the field is in. */
struct keys_kind {
    int (*parse)(void *base, const struct keys_key *k, const char *value,
                 const struct keys_style *s, struct err *e);
    void (*format)(const void *base, const struct keys_key *k, const struct keys_style *s,
                   char *text, size_t size);
};

struct keys_key {
    const char *name;
    const struct keys_kind *kind;
    size_t offset, size;      /* of the field */
    const char *fallback;     /* in canonical spelling; NULL: unset; "": may be empty */
    const char *const *words; /* keys_word, keys_words; ends with NULL */
    uint64_t min, max;        /* keys_whole; keys_time in seconds; keys_decimal in millionths */
    const char *shape;        /* of the value, for people; NULL: the words */
    const char *help;
};

#define KEYS_FIELD(type, member) offsetof(type, member), sizeof((type *)0)->member

/* Field: an integer of 1, 4 or 8 bytes, unless the comment differs. */
extern const struct keys_kind keys_word;    /* which of the words */
extern const struct keys_kind keys_words;   /* some of the words, a bit each */
extern const struct keys_kind keys_switch;  /* yes or no: bool */
extern const struct keys_kind keys_whole;   /* a whole number */
extern const struct keys_kind keys_bytes;   /* 16M: uint64_t bytes */
extern const struct keys_kind keys_time;    /* 10m: double seconds */
extern const struct keys_kind keys_decimal; /* 0.5: double, to the last bit, in any locale */
extern const struct keys_kind keys_path;    /* absolute, without "..": char[] */
extern const struct keys_kind keys_path_of; /* the same, borrowed: const char * */

/* For kinds of one's own. */
int keys_store_text(void *base, const struct keys_key *k, const char *value, struct err *e);
void keys_format_text(const void *base, const struct keys_key *k, const struct keys_style *s,
                      char *text, size_t size);

/* Number of the word; -1: none of them. */
int keys_find(const char *const *words, const char *word);

/* "there is no WHAT 'WORD'; the nearest is 'X'", else "; " and `else_see`. */
int keys_refuse(const char *what, const char *word, const char *const *known, int n,
                const char *else_see, struct err *e);

#endif
