/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows for a person: aligned, at most as wide as the terminal. The first
 * TABLE_WINDOW rows decide the widths; what comes later is cut to them, so
 * that memory is bounded however many rows there are.
 *
 * Cells are cleaned of what steers a terminal (T6).
 *
 * Life:    init/fini the caller's storage; cells are copied.
 * Failure: out of memory leaves a cell empty.
 * Threads: none inside.
 */
#ifndef DRAW_TABLE_H
#define DRAW_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum { TABLE_COLUMNS = 16, TABLE_WINDOW = 1000, TABLE_CELL = 200 };

struct table_column {
    const char *title;
    bool right; /* numbers */
    int least;  /* a column is not cut below this; 0: never cut */
    int spare;  /* when cutting is not enough, the largest goes first; 0: never */
};

struct table {
    FILE *f;
    int width; /* of the terminal; 0: no bound */
    int columns;
    struct table_column column[TABLE_COLUMNS];
    int widths[TABLE_COLUMNS]; /* -1: the column is left out */
    char *cells;               /* of the window, [row][column][TABLE_CELL] */
    int rows;
    bool flowing; /* the widths are decided */
};

void table_init(struct table *t, FILE *f, int width, const struct table_column *columns, int n);
/* The next row; cell i under column i. */
void table_row(struct table *t, const char *const *cells);
/* Prints what is still held. */
void table_fini(struct table *t);

/* Width of the terminal behind stdout; 0 when there is none. $COLUMNS wins. */
int table_terminal_width(void);

/* Shown columns of a text: one per character. */
int table_columns(const char *text);

/* Words, cleaned, in lines of at most so many columns where they have room; 0:
 * one line. */
void table_wrap(FILE *f, int width, const char *text);

#endif
