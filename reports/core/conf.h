/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the site says: hpcai500.conf, read by every program. One table
 * (config.c) drives parsing, defaults, `hpcai500 config` and the sentences;
 * hpcai500.conf(5) describes it.
 *
 *     struct config c;
 *     if (config_load(&c, NULL, CONFIG_PRIVILEGED, &e)) ...
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
    CONFIG_TEXT_SIZE = 1024, /* of a path or list, NUL included */
    CONFIG_WORD_SIZE = 64,
    CONFIG_ADDRESS_SIZE = 272,  /* [host]:port */
    CONFIG_MAX_BYTES = 1 << 16, /* of one file */
    CONFIG_MAX_FILES = 33,
    CONFIG_MAX_KEYS = 32
};

enum config_comment { COMMENT_LINE, COMMENT_H5A1, COMMENT_OFF };

/* What may be hidden (`redact`); reports/record/redact.h. A bit each. */
enum config_redact {
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

struct config {
    char spool[CONFIG_TEXT_SIZE];
    uint64_t spool_per_job;              /* bytes; 0: a plain folder without a limit */
    uint64_t spool_reserve;              /* bytes that stay free */
    uint64_t spool_queue;                /* bytes that may wait for the collector */
    char collector[CONFIG_ADDRESS_SIZE]; /* host:port; "": the spool is shared */
    char listen[CONFIG_ADDRESS_SIZE];    /* [addr]:port of the collector; "": no socket */
    char history[CONFIG_TEXT_SIZE];
    char archive[CONFIG_TEXT_SIZE];
    char quarantine[CONFIG_TEXT_SIZE];
    char service_user[CONFIG_WORD_SIZE];
    char munge_socket[CONFIG_TEXT_SIZE]; /* "": the system's own */
    enum config_comment admin_comment;
    char cache[CONFIG_TEXT_SIZE]; /* "": the user's own */
    char agent[CONFIG_TEXT_SIZE]; /* what doctor asks for its build id */
    uint32_t redact;              /* bits of enum config_redact */
    bool confidential;
    char salt[CONFIG_TEXT_SIZE]; /* file that the hashes are salted with */

    /* Where each value came from; config_origin() shows it. */
    struct {
        enum { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT } from;
        int file, line; /* of files[] */
    } origin[CONFIG_MAX_KEYS];
    int n_files;
    char files[CONFIG_MAX_FILES][CONFIG_TEXT_SIZE];
};

enum {
    /* For what runs as root or as the service user: files and folders above
     * them must belong to root or to this user and nobody else may write
     * them; the environment says nothing but HPCAI500_CONF. */
    CONFIG_PRIVILEGED = 1
};

/* Fills *c. path NULL: as the top of this header says; a path that is said,
 * here or in the environment, must exist. */
int config_load(struct config *c, const char *path, unsigned flags, struct err *e);

/* The defaults alone. */
void config_defaults(struct config *c);

/* Parses size bytes as one file into *c; name is for the sentences and the
 * origins. */
int config_parse(struct config *c, const char *text, size_t size, const char *name, struct err *e);

/* host:port, [v6]:port, or with any_host also :port, in two parts; port is a
 * number of 1 to 65535. -1 when it is none. */
int config_address(const char *text, bool any_host, char host[256], char port[8]);

/* ---- the table ---- */

/* Number of keys; a key's number is its row. */
int config_count(void);
int config_find(const char *name); /* -1: none */

/* Row of a key: name, canonical default ("" is unset), what a value looks
 * like, and one sentence for people. NULL past the end. */
struct config_row {
    const char *name, *fallback, *shape, *help;
    const char *environment; /* variable that wins over the files; NULL: none */
};
const struct config_row *config_row(int key);

/* Canonical text of a value ("" unset), and where it came from: "default",
 * "/etc/hpcai500/hpcai500.conf:7", "HPCAI500_SPOOL". */
void config_value(const struct config *c, int key, char *text, size_t size);
void config_origin(const struct config *c, int key, char *text, size_t size);

/* The word of a bit of `redact`. */
const char *config_redact_word(int bit);

#endif
