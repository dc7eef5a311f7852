# SPDX-License-Identifier: BSD-3-Clause
# One run as text (cJSON, zlib).
if HAVE_CJSON
noinst_LTLIBRARIES += %D%/librecord.la
%C%_librecord_la_SOURCES = \
    %D%/facts.def \
    %D%/fields.h %D%/fields.c \
    %D%/journal.h %D%/journal.c %D%/journal_record.c \
    %D%/record.h %D%/record.c %D%/record_json.c %D%/record_file.c \
    %D%/record_fields.h %D%/record_fields.c \
    %D%/redact.h %D%/redact.c
%C%_librecord_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(ZLIB_CFLAGS)
%C%_librecord_la_LIBADD = $(CJSON_LIBS) $(ZLIB_LIBS)
endif
if BUILD_TOOLS
dist_man_MANS += %D%/hpcai500-record.5
dist_pkgdata_DATA += %D%/record.schema.json
else
EXTRA_DIST += %D%/record.schema.json
endif
