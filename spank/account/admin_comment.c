/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/account/admin_comment.h"

#include <stdlib.h>
#include <string.h>

static const char short_prefix[] = "H5:", long_prefix[] = "H5A1:";
static const char js1_prefix[] = "JS1:H4s" /* gzip's magic */, no_padding[] = " AA== ";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* A span of bytes. */
struct span {
    const char *at;
    size_t n;
};

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Length of our piece that begins at text, 0 when none does. One whose end is
 * missing (cut by somebody) is ours up to what cannot be ours. */
static size_t piece(const char *text)
{
    size_t n;

    if (starts(text, long_prefix))
        n = strlen(long_prefix) + strspn(text + strlen(long_prefix), base64);
    else if (starts(text, short_prefix))
        n = strcspn(text, ";|\n");
    else
        return 0;
    return n + (text[n] == ';');
}

/* Our next piece at or behind from, with the blank and the padding
 * that were put before it; n 0: none. */
static struct span find(const char *comment, const char *from)
{
    for (const char *p = from; *p; p++) {
        size_t n = p == comment || strchr(" \n", p[-1]) ? piece(p) : 0;
        if (n == 0)
            continue;
        const char *at = p, *pad = p - strlen(no_padding);
        if (p - comment >= (long)strlen(no_padding) && starts(pad, no_padding))
            at = pad;
        else if (p > comment && p[-1] == ' ')
            at = p - 1;
        return (struct span){at, (size_t)(p - at) + n};
    }
    return (struct span){comment, 0};
}

/* Whether what was kept ends in a JS1: text without base64's padding. */
static bool needs_padding(const char *kept, size_t n)
{
    const char *word = kept + n;

    while (word > kept && !strchr(" \n", word[-1]))
        word--;
    return starts(word, js1_prefix) && kept[n - 1] != '=';
}

bool admin_comment_ours(const char *text, struct err *e)
{
    size_t n = piece(text);

    if (n == 0 || text[n] || text[n - 1] != ';') {
        err_set(e, "'%.60s' is not one line H5:...; or H5A1:...;", text);
        return false;
    }
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~') {
            err_set(e, "a line for accounting has only printable ASCII, this has byte 0x%02x",
                    (unsigned char)*p);
            return false;
        }
    return true;
}

static char *merge(const char *comment, const char *ours, struct err *e)
{
    const char *from = comment ? comment : "";
    size_t room = strlen(from) + strlen(no_padding) + strlen(ours) + 1, n = 0;
    struct span old;

    if (!admin_comment_ours(ours, e))
        return NULL;
    char *merged = calloc(1, room);
    if (!merged) {
        err_set(e, "out of memory");
        return NULL;
    }
    for (const char *all = from; (old = find(all, from)).n; from = old.at + old.n) {
        memcpy(merged + n, from, (size_t)(old.at - from));
        n += (size_t)(old.at - from);
    }
    /* When ours stood first, its blank went with nothing. */
    if (n == 0 && comment && from != comment && *from == ' ')
        from++;
    strcpy(merged + n, from);
    n += strlen(from);
    if (n > 0)
        strcpy(merged + n, needs_padding(merged, n) ? no_padding : " ");
    strcat(merged, ours);
    if (strlen(merged) <= ADMIN_COMMENT_MAX)
        return merged;
    err_set(e, "the comment would have %zu bytes, slurmdbd is given at most %d", strlen(merged),
            ADMIN_COMMENT_MAX);
    free(merged);
    return NULL;
}

/* Taking a piece out may let what stood behind it begin one, as often as there
 * are pieces: each time the comment gets shorter. */
char *admin_comment_merge(const char *comment, const char *ours, struct err *e)
{
    char *merged = merge(comment, ours, e);

    while (merged && !admin_comment_has(merged, ours)) {
        char *next = merge(merged, ours, e);
        bool shorter = next && strlen(next) < strlen(merged);
        free(merged);
        merged = next;
        if (!shorter)
            break;
    }
    return merged;
}

bool admin_comment_has(const char *comment, const char *ours)
{
    struct span said = comment ? find(comment, comment) : (struct span){NULL, 0};
    size_t n = strlen(ours);

    return said.n >= n && memcmp(said.at + said.n - n, ours, n) == 0 &&
           !find(comment, said.at + said.n).n;
}

/* What MySQL makes of the quoted text at text (behind its quote), into to when
 * that is not NULL; where its end quote stands, NULL when there is none. */
static const char *unquote(const char *text, char *to)
{
    static const char special[] = "0bnrtZ", means[] = "\0\b\n\r\t\x1a";

    for (; *text && *text != '\''; text++) {
        const char *known = NULL;
        char c = *text;
        if (c == '\\' && text[1]) {
            c = *++text;
            known = strchr(special, c);
        }
        if (to)
            *to++ = known ? means[known - special] : c;
    }
    if (to)
        *to = '\0';
    return *text ? text : NULL;
}

int admin_comment_set(const char *set_info, char **comment)
{
    static const char name[] = "admin_comment='";

    for (const char *at = set_info; *at;) {
        bool wanted = starts(at, name);
        at += strcspn(at, ",'");
        const char *end = *at == '\'' ? unquote(at + 1, NULL) : at;
        if (!end)
            return -1;
        if (wanted && comment && !(*comment = malloc((size_t)(end - at))))
            return -1;
        if (wanted && comment)
            unquote(at + 1, *comment);
        if (wanted)
            return 1;
        at = end + (*end != '\0');
        at += strspn(at, ", ");
    }
    return 0;
}

void admin_comment_line(const char *text, char line[ADMIN_COMMENT_LINE + 1])
{
    size_t n = strlen(strcpy(line, short_prefix));

    for (; *text && n < ADMIN_COMMENT_LINE - 1; text++) {
        bool control = (unsigned char)*text < ' ';
        bool good = *text > ' ' && *text <= '~' && *text != ';' && *text != '|';
        line[n++] = good ? *text : control || *text == ' ' ? ' ' : '_';
    }
    line[n++] = ';';
    line[n] = '\0';
}
