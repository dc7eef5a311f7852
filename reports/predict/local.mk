# SPDX-License-Identifier: BSD-3-Clause
# How much faster would it be? The step simulator. Pure functions.
noinst_LTLIBRARIES += %D%/libpredict.la
%C%_libpredict_la_SOURCES = \
    %D%/whats.def %D%/what.h %D%/what.c \
    %D%/series.h %D%/series.c \
    %D%/play.h %D%/play.c \
    %D%/fit.h %D%/fit.c \
    %D%/predict.h %D%/predict.c
%C%_libpredict_la_LIBADD = reports/judge/libjudge.la -lm
if HAVE_CJSON
%C%_libpredict_la_SOURCES += %D%/recorded.h %D%/recorded.c %D%/quality.h %D%/quality.c
%C%_libpredict_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
endif
EXTRA_DIST += %D%/README.md
