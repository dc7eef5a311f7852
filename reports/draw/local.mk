# SPDX-License-Identifier: BSD-3-Clause
# Ink: text and SVG from numbers; knows no record.
noinst_LTLIBRARIES += %D%/libdraw.la
%C%_libdraw_la_SOURCES = \
    %D%/chart.h %D%/chart_ink.h %D%/chart.c %D%/chart_rows.c %D%/chart_xy.c \
    %D%/html.h %D%/html.c \
    %D%/loglog.h %D%/loglog.c \
    %D%/plot.h %D%/plot.c \
    %D%/table.h %D%/table.c \
    %D%/xml.h %D%/xml.c

# Pictures of arrays, with libpng.
if HAVE_PNG
noinst_LTLIBRARIES += %D%/libpicture.la
%C%_libpicture_la_CFLAGS = $(AM_CFLAGS) $(PNG_CFLAGS)
%C%_libpicture_la_LIBADD = $(PNG_LIBS)
%C%_libpicture_la_SOURCES = \
    %D%/canvas.h %D%/canvas.c \
    %D%/glyphs.h %D%/glyphs.c \
    %D%/panels.h %D%/panels.c
endif
