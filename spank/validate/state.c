/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/state.h"

#include <string.h>

static const struct {
    const char *word, *title;
    enum state_action action;
} rows[STATE_COUNT] = {
#define STATE(symbol, word, action, title) {word, title, STATE_DO_##action},
#include "spank/validate/states.def"
};

const char *state_word(enum state s)
{
    return rows[s].word;
}

const char *state_title(enum state s)
{
    return rows[s].title;
}

enum state_action state_action(enum state s)
{
    return rows[s].action;
}

long state_cap(long in_service)
{
    const long cap = in_service * STATE_CAP_PERCENT / 100;

    return cap > 1 ? cap : 1;
}

static bool has(const struct state_view *v, unsigned flags)
{
    return (v->node.flags & flags) != 0;
}

/* A reboot on its way, or a node that does not answer. What a foreign reason keeps
 * out and does not answer is not ours to call lost. */
static bool is_booting(const struct state_view *v)
{
    return has(v, NODE_HAS_REBOOT_REQUESTED | NODE_HAS_REBOOT_ISSUED | NODE_HAS_POWERING_UP |
                      NODE_HAS_NOT_RESPONDING);
}

static bool is_lost(const struct state_view *v)
{
    return is_booting(v) && v->node.reason_time > 0 && node_reason_ours(v->node.reason) &&
           v->now - v->node.reason_time > STATE_BOOT_SECONDS;
}

/* DOWN by `scontrol reboot nextstate=down reason="hpcai500 validate"`. */
static bool is_held_by_reboot(const struct state_view *v)
{
    const size_t n = sizeof NODE_REASON_REBOOT - 1;

    return has(v, NODE_HAS_DOWN) && !has(v, NODE_HAS_DRAIN | NODE_HAS_FAIL) &&
           node_reason_ours(v->node.reason) && strncmp(v->node.reason, NODE_REASON_REBOOT, n) == 0;
}

static bool has_rebooted(const struct state_view *v)
{
    return v->node.boot_time > v->node.reason_time - STATE_REBOOT_EARLY;
}

/* A verdict on this boot whose drain nobody has carried out and undone. */
static bool has_verdict(const struct state_view *v)
{
    return v->verdict.there && !v->verdict.carried_out && v->node.boot_time > 0 &&
           v->verdict.time > v->node.boot_time + STATE_BOOT_TOLERANCE;
}

static enum state by_verdict(const struct state_view *v)
{
    if (v->verdict.gated)
        return STATE_TO_CONFIRM;
    switch (v->verdict.verdict) {
    case VERDICT_GOOD:
    case VERDICT_TRANSIENT:
        return STATE_PASSED;
    case VERDICT_SLOW:
    case VERDICT_FAULTY:
        return STATE_FAILED;
    default:
        return has(v, NODE_HAS_IDLE) && v->verdict.tries < 2 &&
                       v->now - v->verdict.time >= STATE_RETRY_SECONDS
                   ? STATE_RETRY
                   : STATE_UNDECIDED;
    }
}

enum state state_of(const struct state_view *v)
{
    if (v->table <= 0 || v->now - v->table > STATE_TABLE_SECONDS)
        return STATE_BLIND;
    if (!v->reserved)
        return STATE_OUT;
    if (is_lost(v))
        return STATE_LOST;
    if (is_booting(v))
        return STATE_BOOTING;
    if (node_is_out(&v->node) && !node_reason_ours(v->node.reason))
        return STATE_FOREIGN;
    if (is_held_by_reboot(v))
        return has_rebooted(v) ? STATE_RETURNED : STATE_BOOTING;
    if (node_is_out(&v->node))
        return STATE_DRAINED;
    if (v->covered)
        return STATE_TESTING;
    if (has_verdict(v))
        return by_verdict(v);
    return has(v, NODE_HAS_IDLE) && !has(v, NODE_HAS_COMPLETING) ? STATE_UNTESTED : STATE_BUSY;
}
