/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the site says: hpcai500.conf, read by every program. One table
 * (conf.c) drives parsing, defaults, `hpcai500 config` and the sentences;
 * hpcai500.conf(5) describes it.
 *
 *     struct conf c;
 *     if (conf_load(&c, NULL, CONF_PRIVILEGED, &e)) ...
 *     open(c.spool, ...)
 *
 * Read in this order, a later one wins: the defaults; the file
 * ($HPCAI500_CONF, else SYSCONFDIR/hpcai500/hpcai500.conf); the files
 * conf.d/[!.]*.conf beside it, by name; the environment of the keys that have one
 * (HPCAI500_SPOOL, HPCAI500_CACHE). A line is `key = value`, a comment is a
 * line that starts with #. Libc only.
 *
 * Life:    plain data of some 40 KiB; nothing to free.
 * Failure: -1 and a sentence with file and line; *c is unchanged.
 * Threads: pure but for the environment and the files.
 */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"

enum {
    CONF_TEXT_SIZE = 1024, /* of a path or list, NUL included */
    CONF_WORD_SIZE = 64,
    CONF_ADDRESS_SIZE = 272,  /* [host]:port */
    CONF_MAX_BYTES = 1 << 16, /* of one file */
    CONF_MAX_FILES = 33,
    CONF_MAX_KEYS = 32
};

enum conf_comment { COMMENT_LINE, COMMENT_H5A1, COMMENT_OFF };

/* What may be hidden (`redact`); reports/record/redact.h. A bit each. */
enum conf_redact {
    REDACT_USER,
    REDACT_ACCOUNT,
    REDACT_HOST,
    REDACT_PATH,
    REDACT_JOB_NAME,
    REDACT_JOB,
    REDACT_CLUSTER,
    REDACT_PARTITION,
    REDACT_DATA,
    REDACT_TIME,
    REDACT_COUNT
};

/* Their words; NULL behind the last. */
extern const char *const conf_redact_words[REDACT_COUNT + 1];

struct conf {
    char spool[CONF_TEXT_SIZE];
    uint64_t spool_per_job;            /* bytes; 0: a plain folder without a limit */
    uint64_t spool_reserve;            /* bytes that stay free */
    uint64_t spool_queue;              /* bytes that may wait for the collector */
    char collector[CONF_ADDRESS_SIZE]; /* host:port; "": the spool is shared */
    char listen[CONF_ADDRESS_SIZE];    /* [addr]:port of the collector; "": no socket */
    char history[CONF_TEXT_SIZE];
    char archive[CONF_TEXT_SIZE];
    char quarantine[CONF_TEXT_SIZE];
    uint64_t runs_per_job; /* beyond them a job's runs are refused */
    char service_user[CONF_WORD_SIZE];
    char reader[CONF_TEXT_SIZE];       /* socket of hpcai500-reader; "": nobody asks it */
    char readers[CONF_TEXT_SIZE];      /* "alice,@admins" or "*": who may read every run */
    char munge_socket[CONF_TEXT_SIZE]; /* "": the system's own */
    enum conf_comment admin_comment;
    char cache[CONF_TEXT_SIZE];  /* "": the user's own */
    char agent[CONF_TEXT_SIZE];  /* what doctor asks for its build id */
    char energy[CONF_TEXT_SIZE]; /* a command, or "slurm"; "": what the kernel shows */
    uint32_t redact;             /* bits of enum conf_redact */
    bool confidential;
    char salt[CONF_TEXT_SIZE]; /* file that the hashes are salted with */

    /* Where each value came from; conf_origin() shows it. */
    struct {
        enum { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT } from;
        int file, line; /* of files[] */
    } origin[CONF_MAX_KEYS];
    int n_files;
    char files[CONF_MAX_FILES][CONF_TEXT_SIZE];
};

enum {
    /* For what runs as root or as the service user: files and folders above
     * them must belong to root or to this user and nobody else may write
     * them; the environment gives only HPCAI500_CONF. */
    CONF_PRIVILEGED = 1
};

/* Fills *c. path NULL: as the top of this header says; a path that is given,
 * here or in the environment, must exist. */
int conf_load(struct conf *c, const char *path, unsigned flags, struct err *e);

/* The defaults alone. */
void conf_defaults(struct conf *c);

/* Parses size bytes as one file into *c; name is for the sentences and the
 * origins. */
int conf_parse(struct conf *c, const char *text, size_t size, const char *name, struct err *e);

/* host:port, [v6]:port, or with any_host also :port, in two parts; port is a
 * number of 1 to 65535; else -1. */
int conf_address(const char *text, bool any_host, char host[256], char port[8]);

/* ---- the table ---- */

/* Number of keys; a key's number is its row. */
int conf_count(void);
int conf_find(const char *name); /* -1: none */

/* Row of a key: name, canonical default ("" is unset), what a value looks
 * like, and one sentence for people. NULL past the end. */
struct conf_row {
    const char *name, *fallback, *shape, *help;
    const char *environment; /* variable that wins over the files; NULL: none */
};
const struct conf_row *conf_row(int key);

/* Canonical text of a value ("" unset), and where it came from: "default",
 * "/etc/hpcai500/hpcai500.conf:7", "HPCAI500_SPOOL". */
void conf_value(const struct conf *c, int key, char *text, size_t size);
void conf_origin(const struct conf *c, int key, char *text, size_t size);

#endif
