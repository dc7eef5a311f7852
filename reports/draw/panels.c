/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/draw/panels.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/draw/canvas.h"

enum {
    MARGIN = 16,  /* around all, and between panels */
    TITLE = 12,   /* height of capitals: of the picture's title, ... */
    CAPTION = 10, /* ... of a panel's, ... */
    SMALL = 8,    /* ... of all else */
    LINE = 15,    /* from foot to foot */
    AXIS = 12,    /* left of an array and below it, for letters */
    BAR = 10,     /* height of the bar of colours */
    SWATCH = 9,   /* edge of a legend's square */
    NARROW = 150, /* a cell's least width, ... */
    WIDE = 420    /* ... and the most that words may ask for */
};

#define INK      0x222222
#define PALE_INK 0x666666
#define RULE     0xb0b0b0
#define NOT_A    0xff00ff /* value */

#define LOG_FROM 10 /* times the median of what is not 0 */

struct panel *picture_panel(struct picture *p, long height, long width, struct err *e)
{
    struct panel *panel = &p->panel[p->n_panels];

    if (p->n_panels == PICTURE_PANELS)
        return err_set(e, "more than %d panels in a picture", PICTURE_PANELS), NULL;
    *panel = (struct panel){.height = height, .width = width};
    panel->values = malloc((size_t)height * (size_t)width * sizeof *panel->values);
    if (!panel->values)
        return err_set(e, "no memory for an array of %ld x %ld", height, width), NULL;
    p->n_panels++;
    return panel;
}

void picture_line(struct picture *p, const char *format, ...)
{
    va_list a;

    if (p->n_lines == PICTURE_LINES)
        return;
    va_start(a, format);
    vsnprintf(p->line[p->n_lines++], PANEL_TEXT, format, a);
    va_end(a);
}

void picture_fini(struct picture *p)
{
    for (int i = 0; i < p->n_panels; i++)
        free(p->panel[i].values);
    p->n_panels = 0;
}

/* ---- an array as it is shown ------------------------------------------- */

/* Blocks of `block`^2 values become one, which is `factor`^2 points. */
struct zoom {
    long block, factor, height, width; /* points */
};

static struct zoom zoom_of(const struct panel *p)
{
    const long edge = p->height > p->width ? p->height : p->width;
    struct zoom z = {.block = (edge - 1) / PANEL_EDGE_MOST + 1, .factor = 1};

    if (edge <= PANEL_EDGE)
        z.factor = PANEL_EDGE / edge;
    z.height = ((p->height - 1) / z.block + 1) * z.factor;
    z.width = ((p->width - 1) / z.block + 1) * z.factor;
    return z;
}

/* The block whose upper left value is (y, x): the mean, or the highest class. */
static double block_value(const struct panel *p, long block, long y, long x)
{
    double sum = 0, most = 0;
    long n = 0;

    for (long j = y; j < y + block && j < p->height; j++)
        for (long i = x; i < x + block && i < p->width; i++) {
            const double v = (double)p->values[j * p->width + i];
            sum += v;
            most = fmax(most, v);
            n++;
        }
    return p->classes ? most : sum / (double)n;
}

/* Which colour a value has. */
struct ramp {
    bool log;
    double small; /* linear below */
    double least, greatest, mean;
    long bad; /* that are not finite */
};

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The median of the sizes of what is finite and not 0; 1 where nothing is. */
static double median_size(const struct panel *p)
{
    const long all = p->height * p->width;
    float *size = malloc((size_t)all * sizeof *size);
    long n = 0;

    for (long i = 0; size && i < all; i++)
        if (isfinite(p->values[i]) && p->values[i] != 0)
            size[n++] = fabsf(p->values[i]);
    if (n > 0)
        qsort(size, (size_t)n, sizeof *size, by_size);
    const double median = n > 0 ? (double)size[n / 2] : 1;
    free(size);
    return median;
}

static struct ramp ramp_of(const struct panel *p)
{
    struct ramp r = {.least = INFINITY, .greatest = -INFINITY, .small = median_size(p)};
    const long n = p->height * p->width;
    double sum = 0;

    for (long i = 0; i < n; i++) {
        const double v = (double)p->values[i];
        if (!isfinite(v)) {
            r.bad++;
            continue;
        }
        sum += v;
        r.least = fmin(r.least, v);
        r.greatest = fmax(r.greatest, v);
    }
    r.mean = n > r.bad ? sum / (double)(n - r.bad) : NAN;
    if (p->least != 0 || p->greatest != 0) {
        r.least = p->least;
        r.greatest = p->greatest;
    }
    const double most = fmax(fabs(r.least), fabs(r.greatest));
    r.log = p->scale == SCALE_LOG || (p->scale == SCALE_AUTO && most > LOG_FROM * r.small);
    return r;
}

static double place(const struct ramp *r, double v)
{
    const double a = r->log ? asinh(r->least / r->small) : r->least;
    const double b = r->log ? asinh(r->greatest / r->small) : r->greatest;

    return b > a ? ((r->log ? asinh(v / r->small) : v) - a) / (b - a) : 0.5;
}

static uint32_t class_colour(const struct panel *p, int i)
{
    return p->colours ? p->colours[i] : canvas_class(i);
}

static uint32_t colour_of(const struct panel *p, const struct ramp *r, double v)
{
    if (!isfinite(v) || (p->classes && !(v >= 0 && v < p->classes)))
        return NOT_A;
    return p->classes ? class_colour(p, (int)v) : canvas_palette(place(r, v));
}

/* ---- words that fit ---------------------------------------------------- */

/* Draws what has room, "..." for the rest. */
static void put(struct canvas *c, long x, long y, long room, double size, uint32_t ink,
                const char *text)
{
    char cut[PANEL_TEXT + 4];
    size_t n = strlen(text);

    snprintf(cut, sizeof cut, "%s", text);
    while (n > 0 && canvas_text_width(size, cut) > (double)room) {
        n--;
        snprintf(cut + n, sizeof cut - n, "...");
    }
    canvas_text(c, (double)x, (double)y, size, ink, cut);
}

/* "0 to 214, mean 1.2" */
static void range_text(const struct panel *p, const struct ramp *r, char text[2 * PANEL_TEXT])
{
    int n = snprintf(text, 2 * PANEL_TEXT, "%s", p->note);

    if (p->classes)
        return;
    if (r->least > r->greatest)
        n += snprintf(text + n, 2 * PANEL_TEXT - (size_t)n, "%snothing finite", n ? ", " : "");
    else
        n += snprintf(text + n, 2 * PANEL_TEXT - (size_t)n, "%s%.4g to %.4g, mean %.3g",
                      n ? ": " : "", r->least, r->greatest, r->mean);
    if (r->bad)
        snprintf(text + n, 2 * PANEL_TEXT - (size_t)n, ", %ld not finite", r->bad);
}

/* ---- layout ------------------------------------------------------------ */

/* Words and arrays of all panels: every cell of a picture is as wide. */
static long cell_width(const struct picture *p)
{
    char text[2 * PANEL_TEXT];
    double words = NARROW;
    long arrays = 0;

    for (int i = 0; i < p->n_panels; i++) {
        const struct ramp r = ramp_of(&p->panel[i]);
        const long width = zoom_of(&p->panel[i]).width + AXIS;
        range_text(&p->panel[i], &r, text);
        words = fmax(words, canvas_text_width(CAPTION, p->panel[i].title));
        words = fmax(words, canvas_text_width(SMALL, text));
        arrays = arrays > width ? arrays : width;
    }
    words = fmin(ceil(words), WIDE);
    return arrays > (long)words ? arrays : (long)words;
}

static long panel_height(const struct panel *p)
{
    const long below = p->classes ? p->classes * LINE : BAR + LINE;

    return 2 * LINE + zoom_of(p).height + AXIS + 4 + below;
}

static bool begins_row(const struct picture *p, int i, int column)
{
    return column == PANEL_COLUMNS || (i > 0 && p->panel[i].row);
}

/* Height of the row that begins with panel i, columns in it. */
static long row_height(const struct picture *p, int i, int *columns)
{
    long most = 0;

    for (*columns = 0; i < p->n_panels && !(*columns > 0 && begins_row(p, i, *columns)); i++) {
        const long height = panel_height(&p->panel[i]);
        most = most > height ? most : height;
        ++*columns;
    }
    return most + MARGIN;
}

/* Where the columns of the lines stand: tab k at stop[k]; returns their width. A line
 * without tabs takes no part in them. */
enum { STOPS = 8 };

static double line_stops(const struct picture *p, double stop[STOPS])
{
    double width[STOPS] = {0}, all = 0, most = 0;

    for (int i = 0; i < p->n_lines; i++) {
        char text[PANEL_TEXT], *rest = text;
        snprintf(text, sizeof text, "%s", p->line[i]);
        if (!strchr(text, '\t'))
            most = fmax(most, canvas_text_width(SMALL, text));
        for (int k = 0; strchr(p->line[i], '\t') && k < STOPS && rest; k++)
            width[k] = fmax(width[k], canvas_text_width(SMALL, strsep(&rest, "\t")));
    }
    for (int k = 0; k < STOPS; k++) {
        stop[k] = all;
        all += width[k] > 0 ? width[k] + MARGIN : 0;
    }
    return fmax(all, most);
}

static long picture_height(const struct picture *p)
{
    long height = MARGIN + 2 * LINE + p->n_lines * LINE + MARGIN;

    for (int i = 0, columns; i < p->n_panels; i += columns)
        height += row_height(p, i, &columns);
    return height;
}

static long picture_width(const struct picture *p)
{
    double stop[STOPS], words = fmax(line_stops(p, stop), canvas_text_width(TITLE, p->title));
    int most = 0;

    for (int i = 0, columns; i < p->n_panels; i += columns) {
        row_height(p, i, &columns);
        most = most > columns ? most : columns;
    }
    const long panels = most * (cell_width(p) + MARGIN) - MARGIN;
    words = fmin(fmax(words, canvas_text_width(SMALL, p->note)), 2 * WIDE);
    return 2 * MARGIN + (panels > (long)words ? panels : (long)ceil(words));
}

/* ---- drawing ----------------------------------------------------------- */

static void draw_array(struct canvas *c, const struct panel *p, const struct ramp *r, long x,
                       long y)
{
    const struct zoom z = zoom_of(p);

    for (long j = 0; j < z.height / z.factor; j++)
        for (long i = 0; i < z.width / z.factor; i++) {
            const double v = block_value(p, z.block, j * z.block, i * z.block);
            canvas_rect(c, x + i * z.factor, y + j * z.factor, z.factor, z.factor,
                        colour_of(p, r, v));
        }
    canvas_frame(c, x - 1, y - 1, z.width + 2, z.height + 2, RULE);
    const char down[] = {p->axis[0], '\0'}, right[] = {p->axis[1], '\0'};
    canvas_text(c, (double)(x - AXIS), (double)(y + SMALL), SMALL, PALE_INK, down);
    canvas_text(c, (double)(x + z.width - SMALL), (double)(y + z.height + AXIS), SMALL, PALE_INK,
                right);
}

/* One number under the bar, when it has room right of `taken`, left of `end`. */
static long tick(struct canvas *c, const struct ramp *r, double v, long x, long y, long width,
                 long taken, long end)
{
    const double at = place(r, v) * (double)(width - 1);
    char text[32];

    snprintf(text, sizeof text, "%.3g", v);
    const double wide = canvas_text_width(SMALL, text);
    const double from = fmin(fmax(at - wide / 2, 0), (double)width - wide);
    if (from < (double)taken || from + wide > (double)end)
        return taken;
    canvas_rect(c, x + (long)at, y + BAR, 1, 3, INK);
    canvas_text(c, (double)x + from, (double)(y + BAR + LINE), SMALL, INK, text);
    return (long)(from + wide) + SMALL;
}

/* Least, greatest, and between them the middle or powers of ten. */
static void draw_bar(struct canvas *c, const struct ramp *r, long x, long y, long width)
{
    char text[32];

    for (long i = 0; i < width; i++)
        canvas_rect(c, x + i, y, 1, BAR, canvas_palette((double)i / (double)(width - 1)));
    if (!(r->least < r->greatest)) {
        tick(c, r, r->least, x, y, width, 0, width);
        return;
    }
    snprintf(text, sizeof text, "%.3g", r->greatest);
    const long end = width - (long)canvas_text_width(SMALL, text) - SMALL;
    long taken = tick(c, r, r->least, x, y, width, 0, width);
    if (!r->log)
        taken = tick(c, r, (r->least + r->greatest) / 2, x, y, width, taken, end);
    for (int k = 2 * 12; r->log && k >= 0; k--) /* -10^12 ... -10^-12 */
        taken = pow(10, k - 12) < -r->least ? tick(c, r, -pow(10, k - 12), x, y, width, taken, end)
                                            : taken;
    if (r->log && r->least < 0 && r->greatest > 0)
        taken = tick(c, r, 0, x, y, width, taken, end);
    for (int k = 0; r->log && k <= 2 * 12; k++)
        if (pow(10, k - 12) > r->least && pow(10, k - 12) < r->greatest)
            taken = tick(c, r, pow(10, k - 12), x, y, width, taken, end);
    tick(c, r, r->greatest, x, y, width, 0, width);
}

static void draw_legend(struct canvas *c, const struct panel *p, long x, long y, long width)
{
    const long n = p->height * p->width;
    char text[PANEL_TEXT];

    for (int k = 0; k < p->classes; k++, y += LINE) {
        long has = 0;
        for (long i = 0; i < n; i++)
            has += p->values[i] == (float)k;
        canvas_rect(c, x, y, SWATCH, SWATCH, class_colour(p, k));
        canvas_frame(c, x, y, SWATCH, SWATCH, RULE);
        snprintf(text, sizeof text, "%s  %.3g %%", p->names ? p->names[k] : "",
                 100.0 * (double)has / (double)n);
        put(c, x + SWATCH + 5, y + SMALL + 1, width - SWATCH - 5, SMALL, has ? INK : RULE, text);
    }
}

static void draw_panel(struct canvas *c, const struct panel *p, long x, long y, long width)
{
    const struct ramp r = ramp_of(p);
    const struct zoom z = zoom_of(p);
    char text[2 * PANEL_TEXT];

    range_text(p, &r, text);
    put(c, x, y + CAPTION, width, CAPTION, INK, p->title);
    put(c, x, y + CAPTION + LINE, width, SMALL, r.bad ? 0xc00000 : PALE_INK, text);
    y += 2 * LINE;
    draw_array(c, p, &r, x + AXIS, y);
    y += z.height + AXIS + 4;
    if (p->classes)
        draw_legend(c, p, x + AXIS, y, width - AXIS);
    else if (r.least <= r.greatest)
        draw_bar(c, &r, x + AXIS, y, z.width > NARROW / 2 ? z.width : NARROW / 2);
}

static void draw_lines(struct canvas *c, const struct picture *p, long y)
{
    double stop[STOPS];

    line_stops(p, stop);
    for (int i = 0; i < p->n_lines; i++, y += LINE) {
        char text[PANEL_TEXT], *rest = text;
        snprintf(text, sizeof text, "%s", p->line[i]);
        for (int k = 0; k < STOPS && rest; k++)
            put(c, MARGIN + (long)stop[k], y, c->width - 2 * MARGIN - (long)stop[k], SMALL, INK,
                strsep(&rest, "\t"));
    }
}

static void draw_all(struct canvas *c, const struct picture *p)
{
    const long width = cell_width(p), room = c->width - 2 * MARGIN;
    long y = MARGIN + TITLE;

    put(c, MARGIN, y, room, TITLE, INK, p->title);
    put(c, MARGIN, y + LINE, room, SMALL, PALE_INK, p->note);
    draw_lines(c, p, y + 2 * LINE + SMALL / 2);
    y = MARGIN + 2 * LINE + p->n_lines * LINE + MARGIN;
    for (int i = 0, columns; i < p->n_panels; i += columns) {
        const long height = row_height(p, i, &columns);
        for (int k = 0; k < columns; k++)
            draw_panel(c, &p->panel[i + k], MARGIN + k * (width + MARGIN), y, width);
        y += height;
    }
}

int picture_write(const struct picture *p, const char *path, struct err *e)
{
    struct canvas c = {0};
    int rc = canvas_init(&c, picture_width(p), picture_height(p), e);

    if (rc == 0) {
        draw_all(&c, p);
        rc = canvas_write(&c, path, e);
    }
    canvas_fini(&c);
    return rc;
}
