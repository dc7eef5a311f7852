/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/collect/collect_say.h"

#include <stdarg.h>
#include <stdio.h>

#include "reports/core/err.h"

void collect_say(collect_say_fn *say, const char *fmt, ...)
{
    struct err e = ERR_INIT;
    char text[sizeof e.text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(&e, "%s", text);
    say(e.text);
}
