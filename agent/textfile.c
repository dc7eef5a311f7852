/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/slurp.h"

int textfile_read(const char *path, char *text, size_t size)
{
    ssize_t n = slurp_text(path, text, size);

    if (n < 0 && errno != EFBIG)
        return -1;
    size_t at = n < 0 ? size - 1 : (size_t)n;
    while (at > 0 && (text[at - 1] == '\n' || text[at - 1] == '\0'))
        at--;
    text[at] = '\0';
    return 0;
}

int textfile_value(const char *text, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) != 0 || !line[n] || !strchr(" \t:=", line[n]))
            continue;
        line += n;
        line += strspn(line, " \t:=");
        snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
        return 0;
    }
    value[0] = '\0';
    return -1;
}
