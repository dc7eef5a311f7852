/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/node.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/sha256.h"

enum {
    DECIDES = NODE_HAS_DOWN | NODE_HAS_DRAIN | NODE_HAS_FAIL | NODE_HAS_POWERING_UP |
              NODE_HAS_REBOOT_REQUESTED | NODE_HAS_REBOOT_ISSUED,
    REASON_MOST = 200
};

static const char *const words[] = {
#define NODE_FLAG(symbol, word, title) word,
#include "spank/validate/node_flags.def"
};

void node_mark(struct node *n, const char *reason)
{
    char head[80], hex[SHA256_HEX_SIZE];
    struct sha256 s;

    snprintf(head, sizeof head, "%x %lld %u ", n->flags & DECIDES, (long long)n->reason_time,
             n->reason_uid);
    sha256_init(&s);
    sha256_add(&s, head, strlen(head));
    sha256_add(&s, reason, strlen(reason));
    sha256_hex(&s, hex);
    snprintf(n->mark, sizeof n->mark, "%.16s", hex);
}

static void flags_text(unsigned flags, char *text, size_t size)
{
    size_t n = 0;

    snprintf(text, size, "-");
    for (int i = 0; i < NODE_BIT_COUNT; i++)
        if (flags >> i & 1)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? "+" : "", words[i]);
}

/* False when it does not fit. */
static bool escape(const char *from, char *to, size_t size)
{
    size_t n = 0;

    for (; *from && n + 5 < size; from++) {
        unsigned char c = (unsigned char)*from;
        if (c == '\\')
            n += (size_t)snprintf(to + n, size - n, "\\\\");
        else if (c < 0x20 || c > 0x7e)
            n += (size_t)snprintf(to + n, size - n, "\\x%02x", c);
        else
            to[n++] = (char)c;
    }
    to[n] = '\0';
    return *from == '\0';
}

/* The byte behind "\x", -1: not two hexadecimal digits. */
static int hex_byte(const char *at)
{
    if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))
        return -1;
    const char digits[3] = {at[0], at[1], '\0'};
    return (int)strtol(digits, NULL, 16);
}

static int unescape(const char *from, char *to, size_t size, struct err *e)
{
    size_t n = 0;

    while (*from) {
        int c = (unsigned char)*from++;
        if (c == '\\' && *from == '\\')
            from++;
        else if (c == '\\' && *from == 'x' && (c = hex_byte(from + 1)) > 0)
            from += 3;
        else if (c == '\\' || c <= 0)
            return err_set(e, "a reason has a backslash that means nothing");
        if (n + 1 >= size)
            return err_set(e, "a reason has more than %zu bytes", size - 1);
        to[n++] = (char)c;
    }
    to[n] = '\0';
    return 0;
}

bool node_print(const struct node *n, char *line, size_t size)
{
    char flags[512], reason[4 * NODE_REASON_SIZE + 8];

    flags_text(n->flags, flags, sizeof flags);
    if (!escape(n->reason, reason, sizeof reason))
        return false;
    int length = snprintf(line, size, "%s %s %s %lld %u %lld%s%s", n->name, n->mark, flags,
                          (long long)n->reason_time, n->reason_uid, (long long)n->boot_time,
                          reason[0] ? " " : "", reason);
    return length > 0 && (size_t)length < size;
}

/* The next word of *at into word; 0 and *at behind it, -1 when it is empty or too long. */
static int next_word(const char **at, char *word, size_t size)
{
    size_t n = strcspn(*at, " ");

    if (n == 0 || n >= size)
        return -1;
    memcpy(word, *at, n);
    word[n] = '\0';
    *at += n + ((*at)[n] == ' ');
    return 0;
}

static int parse_flags(const char *text, unsigned *flags)
{
    *flags = 0;
    if (strcmp(text, "-") == 0)
        return 0;
    for (;;) {
        size_t n = strcspn(text, "+");
        int i = 0;
        while (i < NODE_BIT_COUNT && (strncmp(words[i], text, n) != 0 || words[i][n]))
            i++;
        if (i == NODE_BIT_COUNT)
            return -1;
        *flags |= 1U << i;
        if (!text[n])
            return 0;
        text += n + 1;
    }
}

static int parse_number(const char **at, int64_t *value)
{
    char word[32], *end;

    if (next_word(at, word, sizeof word) < 0 || !isdigit((unsigned char)word[0]))
        return -1;
    errno = 0;
    *value = strtoll(word, &end, 10);
    return *end || errno ? -1 : 0;
}

int node_parse(const char *line, struct node *n, struct err *e)
{
    char flags[512];
    int64_t uid = 0;

    *n = (struct node){.flags = 0};
    if (next_word(&line, n->name, sizeof n->name) < 0 ||
        next_word(&line, n->mark, sizeof n->mark) < 0 ||
        next_word(&line, flags, sizeof flags) < 0 || parse_flags(flags, &n->flags) < 0 ||
        parse_number(&line, &n->reason_time) < 0 || parse_number(&line, &uid) < 0 ||
        uid > UINT32_MAX || parse_number(&line, &n->boot_time) < 0)
        return err_set(e, "'%.80s' is not NAME MARK FLAGS TIME UID TIME [REASON]", line);
    n->reason_uid = (uint32_t)uid;
    return unescape(line, n->reason, sizeof n->reason, e);
}

bool node_is_out(const struct node *n)
{
    return (n->flags & (NODE_HAS_DOWN | NODE_HAS_DRAIN | NODE_HAS_FAIL)) != 0;
}

static bool begins(const char *text, const char *word)
{
    size_t n = strlen(word);

    return strncmp(text, word, n) == 0 && !isalnum((unsigned char)text[n]) && text[n] != '_' &&
           text[n] != '-';
}

bool node_reason_ours(const char *reason)
{
    return begins(reason, NODE_REASON_OURS);
}

int node_reason_check(const char *reason, struct err *e)
{
    if (!node_reason_ours(reason))
        return err_set(e, "a reason must begin with '" NODE_REASON_OURS "'");
    if (strlen(reason) > REASON_MOST)
        return err_set(e, "a reason has at most %d characters", REASON_MOST);
    for (const char *c = reason; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e || strchr("\\\"'=", *c))
            return err_set(e, "a reason is of printable ASCII without quotes, '=' or a backslash");
    return 0;
}
