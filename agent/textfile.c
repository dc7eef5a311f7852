/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/textfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int textfile_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;
    ssize_t n = 0;

    text[0] = '\0';
    if (fd < 0)
        return -1;
    while (at < size - 1 && (n = read(fd, text + at, size - 1 - at)) > 0)
        at += (size_t)n;
    close(fd);
    if (n < 0 && at == 0)
        return -1;
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
