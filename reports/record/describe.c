/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * describe schema|man: the tables of a record for others to read. `make renew`
 * writes record.schema.json and the generated part of hpcai500-record.5 with
 * it; a test holds both equal to what it prints.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/runspec.h"
#include "reports/record/record_fields.h"

/* Nothing here can fail but memory, and then there is nothing to save. */
static cJSON *need(cJSON *o)
{
    if (!o) {
        fputs("describe: out of memory\n", stderr);
        exit(1);
    }
    return o;
}

static void add(cJSON *o, const char *key, cJSON *item)
{
    cJSON_AddItemToObject(o, key, need(item));
}

static void add_text(cJSON *o, const char *key, const char *text)
{
    add(o, key, cJSON_CreateString(text));
}

static void add_number(cJSON *o, const char *key, double number)
{
    add(o, key, cJSON_CreateNumber(number));
}

/* ---- JSON for people: what fits a line stays on it ---- */

enum { WIDTH = 118 };

static int line_width(const cJSON *o)
{
    char *text = cJSON_PrintUnformatted(o);
    int width = (int)strlen(text);

    for (const char *p = text; *p; p++)
        width += *p == ':' || *p == ',';
    free(text);
    return width;
}

static int print_text(const char *text)
{
    cJSON *o = need(cJSON_CreateStringReference(text));
    char *quoted = cJSON_PrintUnformatted(o);
    int n = printf("%s", quoted);

    free(quoted);
    cJSON_Delete(o);
    return n;
}

/* A list of words that does not fit: as many on a line as do. */
static void print_words_filled(const cJSON *list, int indent)
{
    const cJSON *child;
    int at = WIDTH;

    putchar('[');
    cJSON_ArrayForEach(child, list)
    {
        if (at + (int)strlen(child->valuestring) + 4 > WIDTH)
            at = printf("\n%*s", indent + 2, "");
        else
            at += printf(" ");
        at += print_text(child->valuestring);
        if (child->next)
            at += printf(",");
    }
    printf("\n%*s]", indent, "");
}

static void print_json(const cJSON *o, int indent, bool wide)
{
    bool list = cJSON_IsArray(o), held = list || cJSON_IsObject(o);
    const cJSON *child;

    if (!held) {
        char *text = cJSON_PrintUnformatted(o);
        fputs(text, stdout);
        free(text);
        return;
    }
    wide = wide || (indent > 0 && indent + line_width(o) < WIDTH);
    if (list && !wide && cJSON_IsString(o->child)) {
        print_words_filled(o, indent);
        return;
    }
    putchar(list ? '[' : '{');
    cJSON_ArrayForEach(child, o)
    {
        if (!wide)
            printf("\n%*s", indent + 2, "");
        if (!list) {
            print_text(child->string);
            fputs(": ", stdout);
        }
        print_json(child, indent + 2, wide);
        if (child->next)
            fputs(wide ? ", " : ",", stdout);
    }
    if (!wide)
        printf("\n%*s", indent, "");
    putchar(list ? ']' : '}');
}

/* ---- the schema ---- */

#define TEXT_PATTERN "^[^\\u0000-\\u001f\\u007f]*$"

static cJSON *object_schema(const struct field *table);

static void add_type(cJSON *o, const char *type, bool nullable)
{
    if (!nullable) {
        add_text(o, "type", type);
        return;
    }
    const char *const both[] = {type, "null"};
    add(o, "type", cJSON_CreateStringArray(both, 2));
}

static void add_words(cJSON *o, const char *const *words, bool nullable)
{
    cJSON *list = need(cJSON_CreateArray());

    for (; *words; words++)
        cJSON_AddItemToArray(list, need(cJSON_CreateString(*words)));
    if (nullable)
        cJSON_AddItemToArray(list, need(cJSON_CreateNull()));
    add(o, "enum", list);
}

static void add_text_limits(cJSON *o, const char *pattern, bool empty, int most)
{
    add_text(o, "pattern", pattern ? pattern : TEXT_PATTERN);
    if (!empty)
        add_number(o, "minLength", 1);
    if (most)
        add_number(o, "maxLength", most);
}

static void text_schema(cJSON *o, const struct field *f)
{
    const char *words[RUN_CRASHED + 2] = {NULL};

    if (f->kind == FIELD_STATUS) {
        for (int i = RUN_COMPLETE; i <= RUN_CRASHED; i++)
            words[i] = status_name(i);
        add_words(o, words, false);
    } else if (f->kind == FIELD_CONST && !f->pattern) {
        add_text(o, "const", f->words[0]);
    } else if (f->words && !f->pattern) {
        add_words(o, f->words, field_nullable(f));
    } else {
        add_type(o, "string", field_nullable(f));
        add_text_limits(o, f->pattern, f->empty,
                        f->kind == FIELD_TEXT && f->size ? (int)f->size - 1
                        : f->kind == FIELD_FACT_TEXT     ? RECORD_TEXT_SIZE - 1
                                                         : f->most);
    }
}

static void number_schema(cJSON *o, const struct field *f)
{
    bool whole = field_type(f) == TYPE_WHOLE;
    bool nullable = field_nullable(f);

    add_type(o, whole ? "integer" : "number", nullable);
    if (f->kind == FIELD_POSITIVE)
        add_number(o, "exclusiveMinimum", 0);
    else if (f->range == RANGE_COUNT)
        add_number(o, "minimum", whole && nullable ? (double)f->none + 1 : 0);
    else if (f->range != RANGE_ANY)
        add_number(o, "minimum", f->range == RANGE_ONE ? 1 : f->range == RANGE_PART ? 0 : -1);
    if (f->range == RANGE_PART)
        add_number(o, "maximum", 1);
    if (f->kind == FIELD_U64)
        add(o, "maximum", cJSON_CreateRaw("18446744073709551615"));
}

static void list_schema(cJSON *o, const struct field *f)
{
    cJSON *items = f->below ? object_schema(f->below) : need(cJSON_CreateObject());

    if (f->kind == FIELD_NUMBERS)
        add_text(items, "type", "number");
    if (f->kind == FIELD_TEXTS) {
        add_text(items, "type", "string");
        add_text_limits(items, f->pattern, false, RECORD_NAME_SIZE - 1);
    }
    add_type(o, "array", field_nullable(f));
    add(o, "items", items);
    if (f->most)
        add_number(o, "maxItems", f->most);
}

static void map_schema(cJSON *o, const struct field *f)
{
    cJSON *keys = need(cJSON_CreateObject()), *value;

    if (f->below) {
        value = object_schema(f->below);
        cJSON_DeleteItemFromObject(value, "type");
        add_type(value, "object", true);
    } else {
        value = need(cJSON_CreateObject());
        add_text(value, "type", "string");
        add_text_limits(value, NULL, false, f->most);
    }
    add(keys, f->pattern, value);
    add_type(o, "object", field_nullable(f));
    add(o, "additionalProperties", cJSON_CreateFalse());
    add(o, "patternProperties", keys);
}

static void add_description(cJSON *o, const struct field *f)
{
    char text[512], unit[32] = "", since[48] = "";

    if (f->unit)
        snprintf(unit, sizeof unit, " [%s]", f->unit);
    if (f->since)
        snprintf(since, sizeof since, "; since %s", f->since);
    snprintf(text, sizeof text, "%s%s%s", f->title, unit, since);
    add_text(o, "description", text);
}

/* A table that stands in many places is written once. */
static const char *definition_of(const struct field *table)
{
    return table == record_spread_fields ? "#/$defs/phase" : NULL;
}

static void object_into(cJSON *o, const struct field *f)
{
    cJSON *of = f->below ? object_schema(f->below) : object_schema(&(struct field){.name = NULL});

    cJSON_DeleteItemFromObject(of, "type");
    add_type(o, "object", field_nullable(f));
    for (cJSON *child = of->child, *next; child; child = next) {
        next = child->next;
        cJSON_DetachItemViaPointer(of, child);
        cJSON_AddItemToObject(o, child->string, child);
    }
    cJSON_Delete(of);
}

static cJSON *value_schema(const struct field *f)
{
    cJSON *o = need(cJSON_CreateObject());

    add_description(o, f);
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_MAYBE:
        add_type(o, "boolean", field_nullable(f));
        break;
    case FIELD_OBJECT:
        if (definition_of(f->below))
            add_text(o, "$ref", definition_of(f->below));
        else
            object_into(o, f);
        break;
    case FIELD_LIST:
    case FIELD_TEXTS:
    case FIELD_NUMBERS:
        list_schema(o, f);
        break;
    case FIELD_MAP:
        map_schema(o, f);
        break;
    case FIELD_INT:
    case FIELD_LONG:
    case FIELD_U64:
    case FIELD_DOUBLE:
    case FIELD_POSITIVE:
    case FIELD_MEASURE:
    case FIELD_FACT_NUMBER:
        number_schema(o, f);
        break;
    default:
        text_schema(o, f);
    }
    return o;
}

/* The rows of a table go into the object that their names say. */
static void add_rows(cJSON *object, const struct field *table)
{
    for (const struct field *f = table; f->name; f++) {
        cJSON *in = object;
        const char *name = f->name, *dot;
        char word[64];
        if (f->kind == FIELD_ROWS) {
            add_rows(object, f->below);
            continue;
        }
        for (; (dot = strchr(name, '.')); name = dot + 1) {
            snprintf(word, sizeof word, "%.*s", (int)(dot - name), name);
            in = need(cJSON_GetObjectItemCaseSensitive(
                cJSON_GetObjectItemCaseSensitive(in, "properties"), word));
        }
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(in, "required"),
                             need(cJSON_CreateString(name)));
        add(cJSON_GetObjectItemCaseSensitive(in, "properties"), name, value_schema(f));
    }
}

static cJSON *object_schema(const struct field *table)
{
    cJSON *o = need(cJSON_CreateObject());

    add_text(o, "type", "object");
    add(o, "additionalProperties", cJSON_CreateFalse());
    add(o, "required", cJSON_CreateArray());
    add(o, "properties", cJSON_CreateObject());
    add_rows(o, table);
    return o;
}

/* What holds between fields: not valid and not complete have a reason, and
 * what is not complete is not valid. */
static const char between[] =
    "[{\"if\":{\"properties\":{\"valid\":{\"const\":false}}},"
    "\"then\":{\"properties\":{\"reasons\":{\"required\":[\"valid\"]}}}},"
    "{\"if\":{\"properties\":{\"status\":{\"not\":{\"const\":\"complete\"}}}},"
    "\"then\":{\"properties\":{\"valid\":{\"const\":false},"
    "\"reasons\":{\"required\":[\"status\"]}}}}]";

static int describe_schema(void)
{
    cJSON *o = need(cJSON_CreateObject()), *defs = need(cJSON_CreateObject());

    add_text(o, "$schema", "https://json-schema.org/draft/2020-12/schema");
    add_text(o, "$id", "urn:hpcai500:schema:record:" RECORD_SCHEMA_VERSION);
    add_text(o, "title", "Record of one run of hpcai500");
    add_text(o, "description",
             "Strict: what writes a record obeys it. Readers ignore unknown fields of newer minor "
             "versions. Every null has an entry in `reasons` under its path; units stand in the "
             "names or in brackets. Made by reports/record/describe.c from the record's tables.");
    object_into(o, &(struct field){.name = "", .kind = FIELD_OBJECT, .below = record_fields});
    add(o, "allOf", cJSON_Parse(between));
    add(defs, "phase", object_schema(record_spread_fields));
    add(o, "$defs", defs);
    print_json(o, 0, false);
    putchar('\n');
    cJSON_Delete(o);
    return 0;
}

/* ---- the man page ---- */

static const char *kind_word(const struct field *f)
{
    static const char *const words[] = {
        [FIELD_TEXT] = "text",           [FIELD_NAME] = "text",
        [FIELD_CONST] = "text",          [FIELD_INT] = "whole number",
        [FIELD_LONG] = "whole number",   [FIELD_U64] = "whole number",
        [FIELD_BOOL] = "true or false",  [FIELD_MAYBE] = "true, false",
        [FIELD_DOUBLE] = "number",       [FIELD_POSITIVE] = "number",
        [FIELD_MEASURE] = "number",      [FIELD_STATUS] = "text",
        [FIELD_FACT_TEXT] = "text",      [FIELD_FACT_NUMBER] = "number",
        [FIELD_OBJECT] = "object",       [FIELD_LIST] = "list of objects",
        [FIELD_TEXTS] = "list of texts", [FIELD_NUMBERS] = "list of numbers",
        [FIELD_MAP] = "object",          [FIELD_ROWS] = "",
    };

    return words[f->kind];
}

/* mdoc takes a line that begins with a dot or a quote as a request, and a
 * backslash as an escape. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
}

static void print_words(const struct field *f)
{
    if (!f->words)
        return;
    fputs(f->kind == FIELD_CONST ? ": " : ": one of ", stdout);
    for (const char *const *w = f->words; *w; w++) {
        fputs(w == f->words ? "" : ", ", stdout);
        roff(*w);
    }
}

static void print_row(const struct field *f, const char *path)
{
    fputs(".It Cm ", stdout);
    roff(path);
    putchar('\n');
    roff(f->title);
    if (f->since)
        printf("; since %s", f->since);
    printf(".\n(%s", kind_word(f));
    if (f->unit && !field_holds(f))
        printf(" in %s", f->unit);
    print_words(f);
    fputs(field_nullable(f) ? ", or null" : "", stdout);
    fputs(f->leaves ? "; C)\n" : ")\n", stdout);
    if (f->by) {
        fputs("Filled in by ", stdout);
        roff(f->by);
        fputs(".\n", stdout);
    }
}

enum { MAX_PATH = 192 };

/* below: where the rows stand, "" or with a dot at its end. *spread: the rows
 * of a phase were printed, the other phases have the same. */
static void print_table(const struct field *table, const char *below, bool *spread)
{
    char path[MAX_PATH], next[MAX_PATH + 8];

    for (const struct field *f = table; f->name; f++) {
        if (f->kind == FIELD_ROWS) {
            print_table(f->below, below, spread);
            continue;
        }
        snprintf(path, sizeof path, "%s%s", below, f->name);
        print_row(f, path);
        if (!f->below || (f->below == record_spread_fields && *spread))
            continue;
        *spread = *spread || f->below == record_spread_fields;
        snprintf(next, sizeof next, "%s%s.", path,
                 f->kind == FIELD_LIST  ? "[]"
                 : f->kind == FIELD_MAP ? ".NAME"
                                        : "");
        print_table(f->below, next, spread);
    }
}

static void print_counters(void)
{
    static const struct {
        const char *name, *unit, *title;
    } counters[] = {
#define COUNTER(symbol, backend, unit, kind, scope, title, ...) {#symbol, unit, title},
#include "reports/core/counters.def"
    };

    puts(".Sh COUNTERS\n.Bl -tag -width Ds");
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        printf(".It Cm %s\n[%s] ", counters[i].name, counters[i].unit);
        roff(counters[i].title);
        puts(".");
    }
    puts(".El");
}

static void print_metrics(void)
{
    const struct result_metric *m;

    puts(".Sh METRICS\n.Bl -tag -width Ds");
    for (int i = 0; (m = metric_of(i)); i++) {
        printf(".It Cm %s\n[%s] ", m->name, m->unit);
        roff(m->title);
        printf("; %s is better.\n", m->higher_is_better ? "higher" : "lower");
    }
    puts(".El");
}

static int describe_man(void)
{
    bool spread = false;

    puts(".Sh FIELDS\n.Bl -tag -width Ds");
    print_table(record_fields, "", &spread);
    puts(".El");
    print_metrics();
    print_counters();
    return 0;
}

int main(int argc, char **argv)
{
    int rc = 2;

    if (argc == 2 && strcmp(argv[1], "schema") == 0)
        rc = describe_schema();
    else if (argc == 2 && strcmp(argv[1], "man") == 0)
        rc = describe_man();
    else
        fputs("usage: describe schema|man\n", stderr);
    return fflush(stdout) == 0 && !ferror(stdout) ? rc : 1;
}
