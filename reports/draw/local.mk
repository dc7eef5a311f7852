# SPDX-License-Identifier: BSD-3-Clause
# Ink: text and SVG from numbers; knows no record.
noinst_LTLIBRARIES += %D%/libdraw.la
%C%_libdraw_la_SOURCES = \
    %D%/chart.h %D%/chart_ink.h %D%/chart.c %D%/chart_rows.c %D%/chart_xy.c \
    %D%/html.h %D%/html.c \
    %D%/plot.h %D%/plot.c \
    %D%/table.h %D%/table.c \
    %D%/xml.h %D%/xml.c
