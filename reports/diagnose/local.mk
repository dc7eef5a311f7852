# SPDX-License-Identifier: BSD-3-Clause
# Where does the time go, and what limits it? Pure functions.
noinst_LTLIBRARIES += %D%/libdiagnose.la
%C%_libdiagnose_la_SOURCES = \
    %D%/ablation.h %D%/ablation.c %D%/causes.def \
    %D%/cause.h %D%/cause.c %D%/said.c \
    %D%/confirm.h %D%/confirm.c \
    %D%/words.h %D%/words.c
if HAVE_CJSON
%C%_libdiagnose_la_SOURCES += %D%/memory_bound.h %D%/memory_bound.c \
    %D%/roofline.h %D%/roofline.c \
    %D%/roofline_judge.h %D%/roofline_judge.c
%C%_libdiagnose_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
endif
%C%_libdiagnose_la_LIBADD = reports/judge/libjudge.la
EXTRA_DIST += %D%/README.md
