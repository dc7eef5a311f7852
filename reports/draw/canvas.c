/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/draw/canvas.h"

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/atomic.h"
#include "reports/core/utf8.h"
#include "reports/draw/glyphs.h"

int canvas_init(struct canvas *c, long width, long height, struct err *e)
{
    *c = (struct canvas){width, height, NULL};
    if (width < 1 || height < 1 || width > CANVAS_MOST || height > CANVAS_MOST)
        return err_set(e, "a picture of %ld x %ld points is too large: %d along an edge at most",
                       width, height, CANVAS_MOST);
    c->rgb = malloc((size_t)width * (size_t)height * 3);
    if (!c->rgb)
        return err_set(e, "no memory for a picture of %ld x %ld points", width, height);
    memset(c->rgb, 255, (size_t)width * (size_t)height * 3);
    return 0;
}

void canvas_fini(struct canvas *c)
{
    free(c->rgb);
    c->rgb = NULL;
}

/* cover: 0 leaves what is there, 1 is the colour. */
static void blend(struct canvas *c, long x, long y, uint32_t colour, double cover)
{
    if (x < 0 || y < 0 || x >= c->width || y >= c->height)
        return;
    uint8_t *p = c->rgb + (y * c->width + x) * 3;
    for (int i = 0; i < 3; i++) {
        const double to = colour >> (16 - 8 * i) & 255;
        p[i] = (uint8_t)(p[i] + cover * (to - p[i]) + 0.5);
    }
}

void canvas_rect(struct canvas *c, long x, long y, long width, long height, uint32_t colour)
{
    for (long j = y < 0 ? 0 : y; j < y + height && j < c->height; j++)
        for (long i = x < 0 ? 0 : x; i < x + width && i < c->width; i++)
            blend(c, i, j, colour, 1);
}

void canvas_frame(struct canvas *c, long x, long y, long width, long height, uint32_t colour)
{
    canvas_rect(c, x, y, width, 1, colour);
    canvas_rect(c, x, y + height - 1, width, 1, colour);
    canvas_rect(c, x, y, 1, height, colour);
    canvas_rect(c, x + width - 1, y, 1, height, colour);
}

/* ---- words ------------------------------------------------------------- */

/* From a point to the line between two. */
static double distance(double x, double y, double x0, double y0, double x1, double y1)
{
    const double dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    double t = length > 0 ? ((x - x0) * dx + (y - y0) * dy) / length : 0;

    t = fmin(fmax(t, 0), 1);
    return hypot(x - x0 - t * dx, y - y0 - t * dy);
}

/* From a point of the glyph's grid to its nearest stroke. */
static double distance_to(const char *strokes, double x, double y)
{
    double least = INFINITY;

    for (const char *s = strokes; *s; s += *s == ' ' ? 1 : 2)
        if (s[0] != ' ' && s[2] && s[2] != ' ')
            least = fmin(least, distance(x, y, s[0] - '0', s[1] - '0', s[2] - '0', s[3] - '0'));
    return least;
}

static void draw_glyph(struct canvas *c, double x, double y, double unit, uint32_t colour,
                       const char *strokes)
{
    const double half = fmax(0.5 * unit, 0.45); /* of a stroke's width [points] */
    const long right = (long)ceil(x + glyph_width(strokes) * unit) + 1;
    const long foot = (long)ceil(y + (GLYPH_FULL - GLYPH_BASE) * unit) + 1;

    for (long j = (long)floor(y - GLYPH_BASE * unit) - 1; j <= foot; j++)
        for (long i = (long)floor(x) - 1; i <= right; i++) {
            const double u = ((double)i + 0.5 - x) / unit;
            const double v = ((double)j + 0.5 - y) / unit + GLYPH_BASE;
            const double cover = half + 0.5 - distance_to(strokes, u, v) * unit;
            if (cover > 0)
                blend(c, i, j, colour, fmin(cover, 1));
        }
}

/* Draws when there is a canvas; the same steps measure. */
static double put_text(struct canvas *c, double x, double y, double size, uint32_t colour,
                       const char *text)
{
    const double unit = size / GLYPH_BASE, from = x;
    const unsigned char *p = (const unsigned char *)text;

    for (size_t n = strlen(text); n > 0;) {
        uint32_t code = 0;
        int length = utf8_decode(p, n, &code);
        const char *strokes = glyph(length > 0 ? code : 0);
        if (length < 1)
            length = 1;
        if (c)
            draw_glyph(c, x, y, unit, colour, strokes);
        x += (glyph_width(strokes) + GLYPH_BETWEEN) * unit;
        p += length;
        n -= (size_t)length;
    }
    return x - from;
}

double canvas_text(struct canvas *c, double x, double y, double size, uint32_t colour,
                   const char *text)
{
    return put_text(c, x, y, size, colour, text);
}

double canvas_text_width(double size, const char *text)
{
    return put_text(NULL, 0, 0, size, 0, text);
}

/* ---- colours ----------------------------------------------------------- */

static unsigned srgb(double linear)
{
    const double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;

    return (unsigned)(fmin(fmax(v, 0), 1) * 255 + 0.5);
}

/* Lightness 0 to 1, chroma, hue in degrees (Ottosson 2020, "A perceptual color
 * space for image processing": its matrices). */
static uint32_t oklch(double lightness, double chroma, double hue)
{
    const double a = chroma * cos(hue * M_PI / 180), b = chroma * sin(hue * M_PI / 180);
    const double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    const double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    const double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);

    return srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s) << 16 |
           srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s) << 8 |
           srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

/* All of it is inside sRGB: none is clipped, which would make steps uneven. */
uint32_t canvas_palette(double t)
{
    t = fmin(fmax(t, 0), 1);
    return oklch(0.20 + 0.75 * t, 0.09, 295 - 190 * t);
}

uint32_t canvas_class(int i)
{
    static const uint32_t first[] = {0xe8e8e8, 0xe69f00, 0x56b4e9, 0x009e73,
                                     0xf0e442, 0x0072b2, 0xd55e00, 0xcc79a7};

    return i < (int)(sizeof first / sizeof first[0]) ? first[i]
                                                     : oklch(i % 2 ? 0.4 : 0.85, 0.1, 137.508 * i);
}

/* ---- the file ---------------------------------------------------------- */

int canvas_write(const struct canvas *c, const char *path, struct err *e)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)c->width,
                       .height = (png_uint_32)c->height,
                       .format = PNG_FORMAT_RGB};
    struct atomic file;
    FILE *f;
    int rc = -1;

    if (atomic_open(&file, AT_FDCWD, path, NULL, 0666, ATOMIC_UMASK) < 0)
        return err_set(e, "%s cannot be written: %s", path, strerror(errno));
    errno = 0;
    if ((f = atomic_stream(&file)) && png_image_write_to_stdio(&image, f, 0, c->rgb, 0, NULL) &&
        atomic_publish(&file, NULL) == 0)
        rc = 0;
    else
        err_set(e, "%s cannot be written: %s", path, errno ? strerror(errno) : image.message);
    atomic_discard(&file);
    return rc;
}
