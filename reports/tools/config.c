/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 config: the settings in force, and where each came from.
 */
#include <config.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/conf.h"
#include "reports/record/fields.h"
#include "reports/core/nearest.h"
#include "reports/core/option.h"
#include "reports/core/out.h"

struct options {
    bool json;
    unsigned flags;
    const char *file;
};

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 config [--json] [--privileged] [--file=FILE] [KEY...]\n"
               "  -j, --json         each key's value, default, origin and help\n"
               "  -p, --privileged   read it as root's programs do, which trust less\n"
               "  -f, --file=FILE    this file, to check it before it is installed\n"
               "Without a KEY all settings and where each came from.\n");
    return f == stdout ? 0 : 2;
}

static int unknown(const char *word)
{
    const char *names[CONF_MAX_KEYS];

    for (int i = 0; i < conf_count(); i++)
        names[i] = conf_row(i)->name;
    const char *near = nearest(word, names, conf_count());
    fprintf(stderr, "hpcai500 config: there is no key '%.64s'%s%s%s\n", word,
            near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
    return 2;
}

static void print_line(const struct conf *c, int key)
{
    char value[CONF_TEXT_SIZE], origin[CONF_TEXT_SIZE + 16];

    conf_value(c, key, value, sizeof value);
    conf_origin(c, key, origin, sizeof origin);
    printf("%-14s = %-38s # %s\n", conf_row(key)->name, value, origin);
}

/* Asked for one key: its value alone, for scripts. */
static void print_value(const struct conf *c, int key)
{
    char value[CONF_TEXT_SIZE];

    conf_value(c, key, value, sizeof value);
    puts(value);
}

static int add_json(cJSON *o, const struct conf *c, int key)
{
    const struct conf_row *row = conf_row(key);
    char value[CONF_TEXT_SIZE], origin[CONF_TEXT_SIZE + 16];
    cJSON *entry = put_object(o, row->name);

    conf_value(c, key, value, sizeof value);
    conf_origin(c, key, origin, sizeof origin);
    return !entry || put_text(entry, "value", value, NULL, NULL) ||
           put_text(entry, "default", row->fallback, NULL, NULL) ||
           put_text(entry, "origin", origin, NULL, NULL) ||
           put_text(entry, "help", row->help, NULL, NULL);
}

static int print_json(const struct conf *c, const bool *wanted)
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL;
    int bad = !o;

    for (int i = 0; i < conf_count(); i++)
        if (wanted[i])
            bad = bad || add_json(o, c, i);
    if (!bad && (text = cJSON_Print(o)))
        puts(text);
    else
        fprintf(stderr, "hpcai500 config: out of memory\n");
    free(text);
    cJSON_Delete(o);
    return text ? 0 : 3;
}

static int show(const struct options *o, char **words, int n)
{
    struct conf c;
    struct err e = ERR_INIT;
    bool wanted[CONF_MAX_KEYS] = {false};

    for (int i = 0; i < n; i++) {
        int key = conf_find(words[i]);
        if (key < 0)
            return unknown(words[i]);
        wanted[key] = true;
    }
    if (conf_load(&c, o->file, o->flags, &e)) {
        fprintf(stderr, "hpcai500 config: %s\n", e.text);
        return 1;
    }
    for (int i = 0; n == 0 && i < conf_count(); i++)
        wanted[i] = true;
    if (o->json)
        return print_json(&c, wanted);
    for (int i = 0; i < conf_count(); i++)
        if (wanted[i])
            n ? print_value(&c, i) : print_line(&c, i);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"privileged", no_argument, NULL, 'p'},
                                          {"file", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options o = {0};
    struct err e = ERR_INIT;
    int opt;

    opterr = 0;
    out_guard("hpcai500 config");
    while ((opt = getopt_long(argc, argv, "jpf:h", longs, NULL)) != -1) {
        switch (opt) {
        case 'j':
            o.json = true;
            break;
        case 'p':
            o.flags = CONF_PRIVILEGED;
            break;
        case 'f':
            o.file = optarg;
            break;
        case 'h':
            return usage(stdout);
        default:
            option_refuse(argv, longs, &e);
            fprintf(stderr, "hpcai500 config: %s\n", e.text);
            return 2;
        }
    }
    int rc = show(&o, argv + optind, argc - optind);
    return fflush(stdout) ? 3 : rc;
}
