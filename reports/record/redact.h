/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a record must not tell: names become salted hashes, places go, and
 * with confidential=yes everything goes that is not on a list (redact.c) of
 * what identifies nobody: numbers, and words of closed vocabularies.
 *
 *     if (redact_open(&x, &config, &e)) ...
 *     doc = record_read(path, &e);
 *     redact_record(&x, doc, &e);        before any sink, the archive too
 *
 * The hash of a name is the first 64 bits of SHA-256 over the site's salt,
 * the kind and the name: one name stays one name ("u-1f3a..."), over files and
 * clusters of the site. Who cannot read the salt gets the word "redacted".
 * The witness's hash of a file is that of the file before, and its credential
 * tells names: it is not kept with a redacted file. redact_seal() says later
 * whether a file is the one before; unsalted, that hash would give the names
 * away to anybody who tries them.
 *
 * Life:    plain data; redact_open() reads the salt once.
 * Failure: -1 and a sentence; a document that failed must be thrown away.
 * Threads: none inside.
 */
#ifndef RECORD_REDACT_H
#define RECORD_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/conf.h"
#include "reports/core/err.h"

enum { REDACT_NAME_SIZE = 24, REDACT_MIN_SALT = 16, REDACT_MAX_SALT = 1024 };

struct redact {
    uint32_t bits; /* of enum conf_redact */
    bool confidential;
    size_t salt_size; /* 0: may not be read */
    unsigned char salt[REDACT_MAX_SALT];
};

/* As the site says. A salt that is short, or that others may read, is refused;
 * so is a missing one, unless the site redacts nothing: then runs that ask for
 * it get the word. */
int redact_open(struct redact *x, const struct conf *c, struct err *e);

/* In place, a document of record_read() or record_parse(): what the site hides
 * and what the run's own text asks to be hidden (redact=, confidential=yes).
 * Twice is as once. */
struct cJSON;
int redact_record(const struct redact *x, struct cJSON *doc, struct err *e);

/* Whether that changes anything. */
bool redact_touches(const struct redact *x, const struct cJSON *doc);

/* The salted hash of a file's SHA-256, "s-1f3a..."; without a salt
 * the word. */
void redact_seal(const struct redact *x, const char *sha256, char seal[REDACT_NAME_SIZE]);

/* The hash of a name of that kind (REDACT_USER, ...; -1: an id), or the name
 * itself, cut to size, when the kind is not redacted. */
void redact_name(const struct redact *x, int bit, const char *name, char *out, size_t size);

#endif
