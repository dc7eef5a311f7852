/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/plugin/site.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/nearest.h"

static const char built_in_agent[] = HPCAI500_BINDIR "/hpcai500-agent";
static const char built_in_witness[] = HPCAI500_LIBEXECDIR "/hpcai500-witness";

#ifdef HAVE_MUNGE
#define WITNESS "yes"
#else
#define WITNESS "no" /* there is none */
#endif

struct argument;

typedef int (*parse_fn)(struct site *s, const struct argument *a, const char *value, struct err *e);

static int parse_agent(struct site *, const struct argument *, const char *, struct err *);
static int parse_path(struct site *, const struct argument *, const char *, struct err *);
static int parse_list(struct site *, const struct argument *, const char *, struct err *);
static int parse_hours(struct site *, const struct argument *, const char *, struct err *);
static int parse_switch(struct site *, const struct argument *, const char *, struct err *);
static int parse_witness(struct site *, const struct argument *, const char *, struct err *);

static const struct argument {
    const char *name;
    parse_fn parse;
    size_t offset;
    const char *fallback; /* NULL: unset */
} arguments[] = {
    {"agent", parse_agent, 0, NULL},
    {"conf", parse_path, offsetof(struct site, conf), NULL},
    {"spool", parse_path, offsetof(struct site, spool), NULL},
    {"witness", parse_witness, offsetof(struct site, witness), WITNESS},
    {"srun", parse_path, offsetof(struct site, srun), NULL},
    {"partitions", parse_list, offsetof(struct site, partitions), NULL},
    {"max_node_hours", parse_hours, offsetof(struct site, max_node_hours), NULL},
    {"reexec", parse_switch, offsetof(struct site, reexec), "yes"},
    {"step", parse_switch, offsetof(struct site, step), "yes"},
    {"batch", parse_switch, offsetof(struct site, batch), "yes"},
};

enum { N_ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static void *field(struct site *s, const struct argument *a)
{
    return (char *)s + a->offset;
}

static int parse_path(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    if (value[0] != '/')
        return err_set(e, "plugstack argument %s=%s is not an absolute path", a->name, value);
    *(const char **)field(s, a) = value;
    return 0;
}

static int parse_agent(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    const char *path = strchr(value, '/');

    if (!path || (path != value && path[-1] != ':') ||
        strcmp(strrchr(path, '/'), "/hpcai500-agent") != 0)
        return err_set(e, "plugstack argument %s=%s is not [PARTITION:]/FOLDER/hpcai500-agent",
                       a->name, value);
    if (s->n_agents == SITE_MAX_AGENTS)
        return err_set(e, "plugstack has more than %d agent= arguments", SITE_MAX_AGENTS);
    s->agents[s->n_agents].partition = value;
    s->agents[s->n_agents].partition_length = path == value ? 0 : (int)(path - value) - 1;
    s->agents[s->n_agents++].path = path;
    return 0;
}

static int parse_list(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    if (!*value)
        return err_set(e, "plugstack argument %s= needs a list of partitions", a->name);
    *(const char **)field(s, a) = value;
    return 0;
}

static int parse_hours(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    char *end;
    double hours = strtod(value, &end);

    if (end == value || *end || !(hours > 0 && hours < 1e9))
        return err_set(e, "plugstack argument %s=%s is not a number of hours", a->name, value);
    *(double *)field(s, a) = hours;
    return 0;
}

static int parse_switch(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    bool on = strcmp(value, "yes") == 0;

    if (!on && strcmp(value, "no") != 0)
        return err_set(e, "plugstack argument %s=%s must be yes or no", a->name, value);
    *(bool *)field(s, a) = on;
    return 0;
}

static int parse_witness(struct site *s, const struct argument *a, const char *value, struct err *e)
{
    if (value[0] == '/')
        return parse_path(s, a, value, e);
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return err_set(e, "plugstack argument %s=%s must be yes, no or an absolute path", a->name,
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
            return arguments[i].parse(s, &arguments[i], text + n + 1, e);
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
            arguments[i].parse(&next, &arguments[i], arguments[i].fallback, NULL);
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
