/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of root's side share: a folder of their own, a munged of their
 * own, a site, bundles. A test program runs between relay_start and relay_end.
 */
#ifndef TESTS_SPANK_RELAY_RELAY_H
#define TESTS_SPANK_RELAY_RELAY_H

#include <stddef.h>
#include <sys/types.h>

#include "reports/core/conf.h"

enum { STRANGER = 65534, OWNER = 65533 };

extern char relay_dir[];      /* the folder */
extern char relay_munge[128]; /* munged's socket */

/* As cmocka's group setup and teardown. */
int relay_start(void **state);
int relay_end(void **state);
/* Skip the test without. */
void need_root(void);
void need_munged(void);

/* A path in the folder; good until the eighth call after. */
const char *at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void put(const char *path, const char *text);
/* Makes it if need be; an open descriptor of it. */
int folder(const char *path);
/* Waits for a child that must succeed. */
void ran(pid_t pid);
void nap(int ms);

/* A configuration with that spool and the munged. */
void site(struct conf *c, const char *spool);
/* Bundles that wait in a spool; last: the name of one. */
int bundles(const char *spool, char last[256]);
/* Writes one of three files; its size. */
size_t make_bundle(const char *path);
/* Files that can be read, -1 damaged, -2 not a bundle at all. */
int count(const char *path);

#endif
