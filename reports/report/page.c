/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame: head, policy, the list of sections, foot. */
#include <config.h>

#include "reports/report/page.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/report/frame.h"
#include "reports/report/section.h"

static const struct section sections[] = {
    {"system", W_SYSTEM, W_SYSTEM_LEAD, section_system},
    {"results", W_RESULTS, W_RESULTS_LEAD, section_results},
    {"curves", W_CURVES, W_CURVES_LEAD, section_curves},
    {"time", W_TIME, W_TIME_LEAD, section_time},
    {"counters", W_COUNTERS, W_COUNTERS_LEAD, section_counters},
    {"ceilings", W_CEILINGS, W_CEILINGS_LEAD, section_ceilings},
    {"stairs", W_STAIRS, W_STAIRS_LEAD, section_stairs},
    {"scaling", W_SCALING, W_SCALING_LEAD, section_scaling},
    {"whatif", W_WHATIF, W_WHATIF_LEAD, section_whatif},
    {"nodes", W_NODES, W_NODES_LEAD, section_nodes},
    {"money", W_MONEY, W_MONEY_LEAD, section_money},
    {"stability", W_STABILITY, W_STABILITY_LEAD, section_stability},
    {"history", W_HISTORY, W_HISTORY_LEAD, section_history},
    {"validity", W_VALIDITY, W_VALIDITY_LEAD, section_validity},
    {"glossary", W_GLOSSARY, W_GLOSSARY_LEAD, section_glossary},
    {"raw", W_RAW, W_RAW_LEAD, section_raw},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* ---- the frame ---- */

static const char *first_id(const struct page *p)
{
    return json_text(p->book->records[0], "id", "?");
}

static void head(struct page *p)
{
    FILE *f = p->pen.f;
    struct said title = said(&p->pen, W_TITLE_OF, T(first_id(p)));

    frame_open(&p->pen, title.text);
    fputs("<header class=\"top\"><span><b>hpcai500</b> ", f);
    say(&p->pen, W_REPORT);
    fprintf(f, " · <span class=\"%s\">", p->gates.failed ? "bad" : "good");
    say(&p->pen, p->gates.failed ? W_NOT_VALID : W_VALID);
    fputs("</span> ", f);
    say(&p->pen, p->gates.failed ? W_GATES_FAILED : W_GATES_PASSED, N(p->gates.passed),
        N(p->gates.notes), N(p->gates.failed));
    fputs("</span><span>", f);
    say(&p->pen, p->book->n > 1 ? W_FROM_RECORDS : W_FROM_RECORD, T(first_id(p)), N(p->book->n));
    fputs("</span></header>\n<main id=\"main\">\n", f);
}

static void contents(struct page *p)
{
    FILE *f = p->pen.f;

    fputs("<nav class=\"toc-nav\" aria-labelledby=\"toc\"><h2 id=\"toc\">", f);
    say(&p->pen, W_CONTENTS);
    fputs("</h2><ol class=\"toc\">", f);
    for (int i = 0; i < SECTIONS; i++) {
        fprintf(f, "<li><a href=\"#%s\">%d ", sections[i].id, i + 1);
        say(&p->pen, sections[i].title);
        fputs("</a></li>", f);
    }
    fputs("</ol></nav>\n", f);
}

static void one_section(struct page *p, int i)
{
    const struct section *s = &sections[i];

    fprintf(p->pen.f, "<section aria-labelledby=\"%s\"><h2 id=\"%s\">%d ", s->id, s->id, i + 1);
    say(&p->pen, s->title);
    fputs("</h2>", p->pen.f);
    para(p, "lead", s->lead);
    s->print(p);
    fputs("</section>\n", p->pen.f);
}

int page_print(FILE *f, const struct book *b, const struct page_options *o, struct err *e)
{
    static struct page p; /* 100 KiB of it are the book's, elsewhere */

    if (b->n == 0)
        return err_set(e, "a report needs a record");
    p = (struct page){.pen = {f, o->lang, false, o->prices ? o->prices->currency : NULL},
                      .book = b,
                      .o = o,
                      .prices = o->prices};
    gates_of(b, &p.gates);
    for (int i = 0; i < b->n_groups; i++) {
        split_of(group_work(&p, i), &p.split[i]);
        held_of(group_work(&p, i), &p.held[i]);
    }
    if (p.prices)
        p.node = prices_node(p.prices, json_text(b->records[0], "system.nodes[0].class", ""));
    if (advised_of(b, o, p.advised, e) < 0)
        return -1;
    head(&p);
    page_one(&p);
    page_advice(&p);
    contents(&p);
    for (int i = 0; i < SECTIONS; i++)
        one_section(&p, i);
    frame_close(&p.pen, json_text(b->records[0], "run.rules_version", "?"));
    return ferror(f) ? err_set(e, "cannot write the page: %s", strerror(errno)) : 0;
}

struct whole {
    const struct book *book;
    const struct page_options *o;
};

static int print_whole(FILE *f, const void *what, struct err *e)
{
    const struct whole *w = what;

    return page_print(f, w->book, w->o, e);
}

int page_write(const char *path, const struct book *b, const struct page_options *o, struct err *e)
{
    return frame_write(path, print_whole, &(struct whole){b, o}, e);
}
