/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/frame.h"

#include <errno.h>
#include <string.h>

#include "reports/core/atomic.h"
#include "reports/core/sha256.h"
#include "reports/draw/html.h"
#include "reports/report/style.h"

/* ---- the policy ---- */

static int hex(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The style sheet's SHA-256 in base 64: 32 bytes are 43 digits and a '='. */
static void style_hash(char out[48])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[SHA256_HEX_SIZE];
    unsigned char byte[33] = {0};
    int n = 0;

    sha256_of(report_style, strlen(report_style), text);
    for (int i = 0; i < 32; i++)
        byte[i] = (unsigned char)(hex(text[2 * i]) << 4 | hex(text[2 * i + 1]));
    for (int bit = 0; bit < 256; bit += 6) {
        int word = byte[bit / 8] << 8 | byte[bit / 8 + 1];
        out[n++] = digits[word >> (10 - bit % 8) & 63];
    }
    strcpy(out + n, "=");
}

/* ---- the frame ---- */

void frame_open(const struct pen *p, const char *title)
{
    FILE *f = p->f;
    char hash[48];

    style_hash(hash);
    fprintf(f,
            "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\">"
            "<meta name=\"referrer\" content=\"no-referrer\"><title>",
            p->lang == LANGUAGE_JA ? "ja" : "en", hash);
    html_text(f, title, 0);
    fprintf(f, "</title><style>%s</style></head>\n<body><a class=\"skip\" href=\"#main\">",
            report_style);
    say(p, W_SKIP);
    fputs("</a>\n", f);
}

void frame_close(const struct pen *p, const char *rules)
{
    fputs("</main>\n<footer>", p->f);
    say(p, W_FOOT, T(rules));
    fputs("</footer></body></html>\n", p->f);
}

int frame_write(const char *path, int (*print)(FILE *f, const void *what, struct err *e),
                const void *what, struct err *e)
{
    struct atomic a;

    if (atomic_open(&a, AT_FDCWD, path, NULL, 0666, ATOMIC_UMASK) < 0)
        return err_set(e, "cannot write %s: %s", path, strerror(errno));
    FILE *f = atomic_stream(&a);
    int rc = f ? print(f, what, e) : err_set(e, "cannot write %s: %s", path, strerror(errno));
    if (rc == 0 && atomic_publish(&a, NULL) < 0)
        rc = err_set(e, "cannot write %s: %s", path, strerror(errno));
    atomic_discard(&a);
    return rc;
}
