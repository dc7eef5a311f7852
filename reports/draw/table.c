/* SPDX-License-Identifier: BSD-3-Clause */
/* An aligned table of bounded memory. */
#include <config.h>

#include "reports/draw/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/core/utf8.h"

int table_columns(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

int table_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    long n = columns ? strtol(columns, NULL, 10) : 0;

    if (n >= 20 && n <= 10000)
        return (int)n;
    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

void table_init(struct table *t, FILE *f, int width, const struct table_column *columns, int n)
{
    *t = (struct table){.f = f, .width = width, .columns = n < TABLE_COLUMNS ? n : TABLE_COLUMNS};
    memcpy(t->column, columns, (size_t)t->columns * sizeof *columns);
}

static char *cell(struct table *t, int row, int column)
{
    return t->cells + ((size_t)row * (size_t)t->columns + (size_t)column) * TABLE_CELL;
}

/* One cell in its column's width; a text too long ends in "~". */
static void print_cell(struct table *t, int column, const char *text, bool last)
{
    int wide = table_columns(text), room = t->widths[column], shown = 0;
    const char *end = text;

    while (*end && shown < (wide > room ? room - 1 : room)) {
        do
            end++;
        while ((*end & 0xc0) == 0x80);
        shown++;
    }
    int gap = wide > room ? 0 : room - wide;
    if (t->column[column].right)
        fprintf(t->f, "%*s", gap, "");
    fprintf(t->f, "%.*s%s", (int)(end - text), text, wide > room ? "~" : "");
    if (!last)
        fprintf(t->f, "%*s  ", t->column[column].right ? 0 : gap, "");
}

static void print_row(struct table *t, const char *const *cells)
{
    int last = t->columns - 1;

    while (last > 0 && t->widths[last] < 0)
        last--;
    for (int c = 0; c <= last; c++)
        if (t->widths[c] >= 0)
            print_cell(t, c, cells[c], c == last);
    fputc('\n', t->f);
}

/* Columns of a line, and of the columns that may be cut the widest (-1). */
static int measure_line(const struct table *t, int *widest)
{
    int total = -2;

    *widest = -1;
    for (int c = 0; c < t->columns; c++) {
        if (t->widths[c] < 0)
            continue;
        total += 2 + t->widths[c];
        if (t->column[c].least > 0 && t->widths[c] > t->column[c].least &&
            (*widest < 0 || t->widths[c] > t->widths[*widest]))
            *widest = c;
    }
    return total;
}

/* The widest gives first, down to its least; then whole columns go. */
static void fit(struct table *t)
{
    for (int widest; t->width > 0 && measure_line(t, &widest) > t->width;) {
        int most = 0;
        if (widest >= 0) {
            t->widths[widest]--;
            continue;
        }
        for (int c = 1; c < t->columns; c++)
            if (t->widths[c] >= 0 && t->column[c].spare > t->column[most].spare)
                most = c;
        if (t->column[most].spare == 0 || t->widths[most] < 0)
            return;
        t->widths[most] = -1;
    }
}

/* Decides the widths and prints the window. */
static void flow(struct table *t)
{
    const char *cells[TABLE_COLUMNS];

    for (int c = 0; c < t->columns; c++) {
        t->widths[c] = table_columns(t->column[c].title);
        for (int r = 0; r < t->rows; r++) {
            int wide = table_columns(cell(t, r, c));
            t->widths[c] = wide > t->widths[c] ? wide : t->widths[c];
        }
        cells[c] = t->column[c].title;
    }
    fit(t);
    print_row(t, cells);
    for (int r = 0; r < t->rows; r++) {
        for (int c = 0; c < t->columns; c++)
            cells[c] = cell(t, r, c);
        print_row(t, cells);
    }
    free(t->cells);
    t->cells = NULL;
    t->flowing = true;
}

void table_row(struct table *t, const char *const *cells)
{
    char clean[TABLE_COLUMNS][TABLE_CELL];
    const char *row[TABLE_COLUMNS];

    for (int c = 0; c < t->columns; c++) {
        snprintf(clean[c], TABLE_CELL, "%s", cells[c]);
        utf8_clean(clean[c]);
        row[c] = clean[c];
    }
    if (!t->flowing && !t->cells)
        t->cells = malloc((size_t)TABLE_WINDOW * (size_t)t->columns * TABLE_CELL);
    if (!t->flowing && (!t->cells || t->rows == TABLE_WINDOW))
        flow(t);
    if (t->flowing) {
        print_row(t, row);
        return;
    }
    for (int c = 0; c < t->columns; c++)
        memcpy(cell(t, t->rows, c), clean[c], TABLE_CELL);
    t->rows++;
}

void table_fini(struct table *t)
{
    if (!t->flowing && t->rows > 0)
        flow(t);
    free(t->cells);
    t->cells = NULL;
}

/* ---- lines of text ---- */

void table_wrap(FILE *f, int width, const char *text)
{
    int used = 0;

    while (*text) {
        size_t bytes = strcspn(text, " ");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)bytes, text);
        utf8_clean(word); /* it may have been cut inside a character */
        int columns = table_columns(word);
        if (used && width && used + 1 + columns > width) {
            putc('\n', f);
            used = 0;
        }
        used += fprintf(f, "%s", used ? " " : "") + columns;
        fputs(word, f);
        text += bytes + strspn(text + bytes, " ");
    }
    putc('\n', f);
}
