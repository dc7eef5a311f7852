/* SPDX-License-Identifier: BSD-3-Clause */
/* Small files of /proc and /sys as text. Stateless; -1 when unreadable. */
#ifndef AGENT_TEXTFILE_H
#define AGENT_TEXTFILE_H

#include <stddef.h>

/* At most size - 1 bytes, without the newlines at the end. */
int textfile_read(const char *path, char *text, size_t size);

/* The value behind "key" and any of " \t:=" in lines of text; cut to size. */
int textfile_value(const char *text, const char *key, char *value, size_t size);

#endif
