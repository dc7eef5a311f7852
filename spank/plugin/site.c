/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/site.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/keys.h"
#include "reports/core/nearest.h"

static const char built_in_agent[] = HPCAI500_BINDIR "/hpcai500-agent";
static const char built_in_witness[] = HPCAI500_LIBEXECDIR "/hpcai500-witness";

#ifdef HAVE_MUNGE
#define WITNESS "yes"
#else
#define WITNESS "no" /* there is none */
#endif

static const struct keys_style style = {"plugstack argument ", "=", ','};

static int parse_agent(void *, const struct keys_key *, const char *, const struct keys_style *,
                       struct err *);
static int parse_list(void *, const struct keys_key *, const char *, const struct keys_style *,
                      struct err *);
static int parse_hours(void *, const struct keys_key *, const char *, const struct keys_style *,
                       struct err *);
static int parse_witness(void *, const struct keys_key *, const char *, const struct keys_style *,
                         struct err *);

/* What only plugstack has. */
static const struct keys_kind an_agent = {parse_agent, NULL};
static const struct keys_kind a_list = {parse_list, NULL};
static const struct keys_kind some_hours = {parse_hours, NULL};
static const struct keys_kind a_witness = {parse_witness, NULL};

#define FIELD(member) KEYS_FIELD(struct site, member)

static const struct keys_key arguments[] = {
    {.name = "agent", .kind = &an_agent},
    {"conf", &keys_path_of, FIELD(conf), NULL, NULL, 0, 0, NULL, NULL},
    {"spool", &keys_path_of, FIELD(spool), NULL, NULL, 0, 0, NULL, NULL},
    {"witness", &a_witness, FIELD(witness), WITNESS, NULL, 0, 0, NULL, NULL},
    {"srun", &keys_path_of, FIELD(srun), NULL, NULL, 0, 0, NULL, NULL},
    {"partitions", &a_list, FIELD(partitions), NULL, NULL, 0, 0, NULL, NULL},
    {"max_node_hours", &some_hours, FIELD(max_node_hours), NULL, NULL, 0, 0, NULL, NULL},
    {"reexec", &keys_switch, FIELD(reexec), "yes", NULL, 0, 0, NULL, NULL},
    {"step", &keys_switch, FIELD(step), "yes", NULL, 0, 0, NULL, NULL},
    {"batch", &keys_switch, FIELD(batch), "yes", NULL, 0, 0, NULL, NULL},
};

enum { N_ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static int parse_agent(void *base, const struct keys_key *k, const char *value,
                       const struct keys_style *st, struct err *e)
{
    struct site *s = base;
    const char *path = strchr(value, '/');

    (void)st;
    if (!path || (path != value && path[-1] != ':') ||
        strcmp(strrchr(path, '/'), "/hpcai500-agent") != 0)
        return err_set(e, "plugstack argument %s=%s is not [PARTITION:]/FOLDER/hpcai500-agent",
                       k->name, value);
    if (s->n_agents == SITE_MAX_AGENTS)
        return err_set(e, "plugstack has more than %d agent= arguments", SITE_MAX_AGENTS);
    s->agents[s->n_agents].partition = value;
    s->agents[s->n_agents].partition_length = path == value ? 0 : (int)(path - value) - 1;
    s->agents[s->n_agents++].path = path;
    return 0;
}

static int parse_list(void *base, const struct keys_key *k, const char *value,
                      const struct keys_style *st, struct err *e)
{
    struct site *s = base;

    (void)st;
    if (!*value)
        return err_set(e, "plugstack argument %s= needs a list of partitions", k->name);
    s->partitions = value;
    return 0;
}

static int parse_hours(void *base, const struct keys_key *k, const char *value,
                       const struct keys_style *st, struct err *e)
{
    struct site *s = base;
    char *end;
    double hours = strtod(value, &end);

    (void)st;
    if (end == value || *end || !(hours > 0 && hours < 1e9))
        return err_set(e, "plugstack argument %s=%s is not a number of hours", k->name, value);
    s->max_node_hours = hours;
    return 0;
}

static int parse_witness(void *base, const struct keys_key *k, const char *value,
                         const struct keys_style *st, struct err *e)
{
    struct site *s = base;
    if (value[0] == '/')
        return keys_path_of.parse(s, k, value, st, e);
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return err_set(e, "plugstack argument %s=%s must be yes, no or an absolute path", k->name,
                       value);
    s->witness = value[0] == 'y' ? built_in_witness : NULL;
    return 0;
}

static int parse_one(struct site *s, const char *text, struct err *e)
{
    const char *names[N_ARGUMENTS];
    char name[64] = "";
    size_t n = strcspn(text, "=");

    if (n < sizeof name)
        memcpy(name, text, n);
    for (int i = 0; i < N_ARGUMENTS; i++) {
        names[i] = arguments[i].name;
        if (text[n] == '=' && strcmp(name, arguments[i].name) == 0)
            return arguments[i].kind->parse(s, &arguments[i], text + n + 1, &style, e);
    }
    const char *near = nearest(name, names, N_ARGUMENTS);
    return err_set(e, "plugstack argument '%s' is not known%s%s%s", text,
                   near ? "; the nearest is '" : "", near ? near : "", near ? "='" : "");
}

int site_parse(struct site *s, int argc, char *const argv[], struct err *e)
{
    struct site next = {0};

    for (int i = 0; i < N_ARGUMENTS; i++)
        if (arguments[i].fallback)
            arguments[i].kind->parse(&next, &arguments[i], arguments[i].fallback, &style, NULL);
    for (int i = 0; i < argc; i++)
        if (parse_one(&next, argv[i], e))
            return -1;
    *s = next;
    return 0;
}

const char *site_agent(const struct site *s, const char *partition)
{
    const char *path = built_in_agent;

    for (int i = 0; i < s->n_agents; i++) {
        size_t n = (size_t)s->agents[i].partition_length;
        if (n == 0)
            path = s->agents[i].path;
        if (n > 0 && partition && strlen(partition) == n &&
            strncmp(s->agents[i].partition, partition, n) == 0)
            return s->agents[i].path;
    }
    return path;
}

bool site_has_partition(const struct site *s, const char *partition)
{
    const char *p = s->partitions;
    size_t n = strlen(partition);

    while (p && *p) {
        size_t word = strcspn(p, ",");
        if (word == n && strncmp(p, partition, n) == 0)
            return true;
        p += word + (p[word] == ',');
    }
    return !s->partitions;
}
