# SPDX-License-Identifier: BSD-3-Clause
# All runs of a site: the history and the archive (SQLite, zlib).
if BUILD_HISTORY
noinst_LTLIBRARIES += %D%/libhistory.la
%C%_libhistory_la_SOURCES = \
    %D%/archive.h %D%/archive.c \
    %D%/history.h %D%/history.c %D%/history_claim.c %D%/history_file.c %D%/history_ask.c \
    %D%/history_db.h %D%/history_schema.h \
    %D%/history_own.h %D%/history_own.c \
    %D%/history_series.h %D%/history_series.c \
    %D%/history_work.h %D%/history_work.c \
    %D%/reader.h %D%/reader.c \
    %D%/history_words.h %D%/history_words.c
%C%_libhistory_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(ZLIB_CFLAGS)
%C%_libhistory_la_LIBADD = reports/judge/libjudge.la reports/record/librecord.la reports/core/libcore.la \
    $(CJSON_LIBS) $(SQLITE_LIBS) $(ZLIB_LIBS)
endif
