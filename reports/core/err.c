/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/utf8.h"

static void tidy(char *text, size_t size, int wanted)
{
    if (wanted < 0)
        text[0] = '\0';
    else if ((size_t)wanted >= size)
        memcpy(text + size - 4, "...", 4);
    utf8_clean(text); /* it may also have been cut inside a character */
}

int err_set(struct err *e, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return -1;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    tidy(e->text, sizeof e->text, n);
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    va_list ap;
    char head[sizeof e->text];
    char tail[sizeof e->text];

    if (!e)
        return -1;
    memcpy(tail, e->text, sizeof tail);
    va_start(ap, fmt);
    int n = vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    tidy(head, sizeof head, n);
    return err_set(e, "%s: %s", head, tail);
}
