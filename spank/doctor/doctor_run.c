/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <string.h>
#include <unistd.h>

#include "reports/core/spawn.h"

extern char **environ;

enum { MAX_OUTPUT = 64 << 20 };

int doctor_run(const char *const argv[], int seconds, char **text)
{
    const struct spawn s = {
        .argv = argv, .env = (const char *const *)environ, .in = SPAWN_NULL, .search = true};

    return spawn_run(&s, seconds, MAX_OUTPUT, text);
}

const char *doctor_line(char *text)
{
    text += strspn(text, "\r\n");
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}
