# SPDX-License-Identifier: BSD-3-Clause
# What a validation of nodes leaves, and what follows from it; no Slurm here.
if HAVE_CJSON
noinst_LTLIBRARIES += %D%/libverdict.la
%C%_libverdict_la_SOURCES = %D%/baseline.h %D%/baseline.c %D%/causes.h %D%/causes.c %D%/propose.c %D%/assess.h %D%/assess_inner.h %D%/assess_base.c %D%/assess.c %D%/assess_links.c %D%/assess_verdict.c \
    %D%/json_line.h %D%/json_line.c %D%/lines.h %D%/lines.c %D%/link_line.h %D%/link_line.c %D%/metric_tests.h %D%/metric_tests.c \
    %D%/names.h %D%/names.c %D%/node_line.h %D%/node_line.c \
    %D%/page.h %D%/page.c %D%/page_file.c %D%/past.h %D%/past_inner.h %D%/past_base.c %D%/past.c %D%/past_links.c %D%/past_keep.c \
    %D%/spares.h %D%/spares.c %D%/verdicts.h %D%/verdicts.c
%C%_libverdict_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_libverdict_la_LIBADD = reports/record/librecord.la reports/draw/libdraw.la reports/judge/libjudge.la \
    reports/core/libcore.la $(CJSON_LIBS)
endif
