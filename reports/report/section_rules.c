/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why to believe it, what the words mean, how to do it again. Validity must
 * never call a gate passed that was not tested: that is a note.
 */
#include <config.h>

#include <math.h>
#include <string.h>

#include "reports/draw/html.h"
#include "reports/record/fields.h"
#include "reports/report/rules.h"
#include "reports/report/section.h"

/* ---- validity ---- */

static void reasons(struct page *p)
{
    static const struct column columns[] = {{W_PATH, false}, {W_REASON, false}};
    const cJSON *reason;
    struct grid g;
    int n = 0;

    grid_open(&g, p, columns, 2, false);
    cJSON_ArrayForEach(reason, json_at(p->book->records[0], "reasons"))
    {
        if (!reason->string) /* a list is no table of reasons */
            continue;
        size_t length = strlen(reason->string);
        bool validity = strcmp(reason->string, "valid") == 0 ||
                        strcmp(reason->string, "status") == 0 ||
                        (length > 6 && strcmp(reason->string + length - 6, ".valid") == 0) ||
                        (length > 7 && strcmp(reason->string + length - 7, ".status") == 0);
        if (!validity || n == 16)
            continue;
        grid_row(&g);
        grid_value(&g, T(reason->string), "");
        grid_value(&g, T(cJSON_IsString(reason) ? reason->valuestring : "–"), "all");
        n++;
    }
    if (n == 0) {
        grid_row(&g);
        grid_say(&g, W_NONE);
        grid_say(&g, W_NO_REASONS);
    }
    grid_close(&g);
}

/* What the layer manifests of the records say of their labels: of several, against the
 * first. */
static void labels(struct page *p)
{
    const struct book *b = p->book;
    const cJSON *r = b->records[0];
    unsigned differ = 0, unknown = 0;
    bool level = true, division = true, target = true;

    for (int i = 0; i < b->n; i++) {
        unsigned own = rules_differ(r, b->records[i]);
        differ |= own;
        unknown |= rules_unknown(r, b->records[i]);
        level = level && rules_level_holds(b->records[i], own);
        division = division && rules_division_holds(b->records[i]);
        target = target && rules_target_holds(b->records[i]);
    }
    heading(p, 3, W_LABELS);
    para(p, NULL, W_LABELS_TEXT, T(json_text(r, "run.division", "–")),
         T(json_text(r, "run.level", "–")), T(json_text(r, "run.rules_version", "–")));
    if (!division)
        para(p, "warn", W_DIVISION_WRONG, T(json_text(r, "run.division", "–")));
    if (!target)
        para(p, "warn", W_TARGET_WRONG);
    if (!level)
        para(p, "warn", W_LEVEL_WRONG);
    if (b->n < 2)
        return;
    const char *strictest = rules_strictest(differ);
    para(p, NULL,
         !strictest ? W_LEVEL_NONE
         : unknown  ? W_LEVEL_KNOWN
                    : W_LEVEL_OF,
         T(strictest ? strictest : "–"));
}

void section_validity(struct page *p)
{
    static const struct column columns[] = {
        {W_GATE, false}, {W_RESULT, false}, {W_EVIDENCE, false}};
    static const struct {
        const char *cls;
        enum word word;
    } states[] = {{"good", W_PASS}, {"warn", W_NOTE}, {"bad", W_FAIL}};
    struct grid g;

    grid_open(&g, p, columns, 3, false);
    for (int i = 0; i < p->gates.n; i++) {
        const struct gate *at = &p->gates.gate[i];
        grid_row(&g);
        grid_say(&g, at->what);
        grid_cell(&g);
        fprintf(p->pen.f, "<span class=\"%s\">", states[at->state].cls);
        say(&p->pen, states[at->state].word);
        fputs("</span>", p->pen.f);
        grid_cell(&g);
        say_args(&p->pen, at->why, at->args, 2);
    }
    grid_close(&g);
    labels(p);
    heading(p, 3, W_REASONS);
    reasons(p);
}

/* ---- glossary ---- */

void section_glossary(struct page *p)
{
    static const struct {
        enum word term, meaning;
    } rows[] = {
        {W_G_BOTTLENECK, W_G_BOTTLENECK_IS},
        {W_G_INPUT, W_G_INPUT_IS},
        {W_G_EXCHANGE, W_G_EXCHANGE_IS},
        {W_G_SKEW, W_G_SKEW_IS},
        {W_G_TARGET, W_G_TARGET_IS},
        {W_G_TIME, W_G_TIME_IS},
        {W_G_FLOPS, W_G_FLOPS_IS},
        {W_G_CEILING, W_G_CEILING_IS},
        {W_G_ABLATION, W_G_ABLATION_IS},
        {W_G_INTERVAL, W_G_INTERVAL_IS},
        {W_G_TCO, W_G_TCO_IS},
        {W_G_BREAK_EVEN, W_G_BREAK_EVEN_IS},
        {W_G_NODE_HOUR, W_G_NODE_HOUR_IS},
        {W_G_EPOCH, W_G_EPOCH_IS},
        {W_G_REFERENCE, W_G_REFERENCE_IS},
        {W_G_MISSED, W_G_MISSED_IS},
    };
    FILE *f = p->pen.f;

    fputs("<dl class=\"gl\">\n", f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fputs("<div><dt>", f);
        say(&p->pen, rows[i].term);
        fputs("</dt><dd>", f);
        say(&p->pen, rows[i].meaning);
        fputs("</dd></div>\n", f);
    }
    fputs("</dl>\n", f);
}

/* ---- raw data ---- */

/* In single quotes, as a shell needs it; nothing where that is not needed. */
static void quoted(FILE *f, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_.,:/=+-@%";
    char piece[8];

    if (*word && word[strspn(word, plain)] == '\0') {
        html_text(f, word, 0);
        return;
    }
    fputs("&#39;", f);
    for (; *word; word++) {
        snprintf(piece, sizeof piece, "%s", "'\\''");
        if (*word == '\'')
            html_text(f, piece, 0);
        else { /* a character of several bytes goes as one */
            size_t n = 1;
            while ((word[n] & 0xc0) == 0x80 && n < 4)
                n++;
            snprintf(piece, sizeof piece, "%.*s", (int)n, word);
            html_text(f, piece, 0);
            word += n - 1;
        }
    }
    fputs("&#39;", f);
}

static void commands(struct page *p)
{
    FILE *f = p->pen.f;
    const cJSON *r = p->book->records[0];
    const char *run = json_text(r, "run.canonical", json_text(r, "run.text", ""));
    bool slurm = cJSON_IsObject(json_at(r, "job"));
    double nodes = record_nodes(r), ranks = json_number(r, "workloads[0].ranks", NAN);

    fputs("<pre tabindex=\"0\"><code>", f);
    if (slurm && isfinite(nodes))
        fprintf(f, "srun -N %.0f --hpcai500=", nodes);
    else if (slurm)
        fputs("srun --hpcai500=", f);
    else
        fprintf(f, "mpirun -n %.0f hpcai500-agent ", isfinite(ranks) ? ranks : 1);
    quoted(f, run);
    fputs("\nhpcai500 report", f);
    for (int i = 0; i < p->book->n; i++) {
        fputc(' ', f);
        quoted(f, json_text(p->book->records[i], "id", "?"));
    }
    fprintf(f, " -o report.html --lang=%s\nhpcai500 verify ",
            p->pen.lang == LANGUAGE_JA ? "ja" : "en");
    quoted(f, json_text(r, "id", "?"));
    fputs("\n</code></pre>\n", f);
}

void section_raw(struct page *p)
{
    static const struct column columns[] = {{W_RECORD, false}, {W_VALUE, false}, {W_SCHEMA, false}};
    struct grid g;

    grid_open(&g, p, columns, 3, false);
    for (int i = 0; i < p->book->n; i++) {
        const char *sha = p->o->sources ? p->o->sources[i].sha256 : "";
        grid_row(&g);
        grid_value(&g, T(json_text(p->book->records[i], "id", "?")), "all");
        grid_say(&g, *sha ? W_SHA256 : W_SHA256_REDACTED, T(sha));
        grid_value(&g, T(json_text(p->book->records[i], "schema_version", "?")), "");
    }
    if (p->prices) {
        grid_row(&g);
        grid_say(&g, W_PRICE_FILE);
        grid_value(&g, T(p->o->prices_name ? p->o->prices_name : "–"), "");
        grid_value(&g, T(p->prices->as_of), "");
    }
    grid_close(&g);
    heading(p, 3, W_COMMANDS);
    commands(p);
}
