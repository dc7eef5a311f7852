/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/draw/xml.h"

#include <string.h>

void xml_text(FILE *f, const char *text)
{
    /* U+FFFE and U+FFFF are UTF-8, but no characters of XML 1.0 (2.2): a reader
     * that meets one shows an error instead of the document. */
    static const struct {
        const char *text, *xml;
    } table[] = {{"&", "&amp;"}, {"<", "&lt;"},         {">", "&gt;"},        {"\"", "&quot;"},
                 {"'", "&#39;"}, {"\xef\xbf\xbe", "?"}, {"\xef\xbf\xbf", "?"}};

    while (*text) {
        size_t plain = 1;
        for (size_t i = 0; plain && i < sizeof table / sizeof *table; i++) {
            size_t n = strlen(table[i].text);
            if (strncmp(text, table[i].text, n) != 0)
                continue;
            fputs(table[i].xml, f);
            text += n;
            plain = 0;
        }
        if (plain)
            putc(*text++, f);
    }
}
