/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reports/core/utf8.h"

void text_add(char *text, size_t size, const char *fmt, ...)
{
    const size_t at = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text + at, size - at, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n >= size - at) /* cut: perhaps within a character */
        text[utf8_check(text, strlen(text))] = '\0';
}
