/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/cred.h"

#include <limits.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <munge.h>

static munge_ctx_t context(const char *socket, struct err *e)
{
    munge_ctx_t ctx = munge_ctx_create();

    if (!ctx) {
        err_set(e, "MUNGE: no memory");
        return NULL;
    }
    if (socket && *socket && munge_ctx_set(ctx, MUNGE_OPT_SOCKET, socket) != EMUNGE_SUCCESS) {
        err_set(e, "MUNGE: socket %s: %s", socket, munge_ctx_strerror(ctx));
        munge_ctx_destroy(ctx);
        return NULL;
    }
    return ctx;
}

/* The context's sentence names the socket; the code alone does not. */
static void say(munge_ctx_t ctx, munge_err_t code, struct err *e)
{
    const char *own = munge_ctx_strerror(ctx);

    err_set(e, "MUNGE: %s", own && *own ? own : munge_strerror(code));
}

char *cred_encode(const char *socket, const void *payload, size_t size, struct err *e)
{
    char *text = NULL;
    munge_ctx_t ctx;

    if (size > INT_MAX) {
        err_set(e, "a credential cannot carry %zu bytes", size);
        return NULL;
    }
    if (!(ctx = context(socket, e)))
        return NULL;
    munge_err_t code = munge_encode(&text, ctx, payload, (int)size);
    if (code != EMUNGE_SUCCESS) {
        say(ctx, code, e);
        free(text);
        text = NULL;
    }
    munge_ctx_destroy(ctx);
    return text;
}

/* Codes that come with a payload. */
static const struct {
    munge_err_t code;
    enum cred_state state;
    const char *name;
} states[] = {
    {EMUNGE_SUCCESS, CRED_FRESH, "fresh"},
    {EMUNGE_CRED_EXPIRED, CRED_EXPIRED, "expired"},
    {EMUNGE_CRED_REPLAYED, CRED_REPLAYED, "replayed"},
    {EMUNGE_CRED_REWOUND, CRED_REWOUND, "rewound"},
};

enum { N_STATES = sizeof states / sizeof *states };

/* MUNGE's buffer has no room behind it for certain. */
static int keep(struct cred *c, const void *payload, size_t n, struct err *e)
{
    c->payload = malloc(n + 1);
    if (!c->payload)
        return err_set(e, "no memory for a credential's %zu bytes", n);
    if (n)
        memcpy(c->payload, payload, n);
    c->payload[n] = '\0';
    c->size = n;
    return 0;
}

int cred_decode(const char *socket, const char *text, struct cred *c, struct err *e)
{
    void *payload = NULL;
    int n = 0, rc = -1;
    struct cred out = {0};
    munge_ctx_t ctx = context(socket, e);

    if (!ctx) {
        errno = ENOMEM;
        return -1;
    }
    munge_err_t code = munge_decode(text, ctx, &payload, &n, &out.uid, &out.gid);
    for (int i = 0; i < N_STATES; i++)
        if (states[i].code == code) {
            out.state = states[i].state;
            rc = 0;
        }
    if (rc < 0)
        say(ctx, code, e);
    else if (munge_ctx_get(ctx, MUNGE_OPT_ENCODE_TIME, &out.encoded) != EMUNGE_SUCCESS)
        rc = err_set(e, "MUNGE does not say when the credential was encoded");
    else
        rc = keep(&out, payload, n < 0 ? 0 : (size_t)n, e);
    free(payload);
    munge_ctx_destroy(ctx);
    if (rc == 0)
        *c = out;
    errno =
        code == EMUNGE_SOCKET || code == EMUNGE_TIMEOUT || code == EMUNGE_NO_MEMORY ? EAGAIN : 0;
    return rc;
}

void cred_fini(struct cred *c)
{
    free(c->payload);
    c->payload = NULL;
    c->size = 0;
}

const char *cred_state_name(enum cred_state state)
{
    return states[state].name;
}
