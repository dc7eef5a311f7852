# SPDX-License-Identifier: BSD-3-Clause
# One run as text (cJSON, zlib).
if HAVE_CJSON
noinst_LTLIBRARIES += %D%/librecord.la
%C%_librecord_la_SOURCES = \
    %D%/facts.def \
    %D%/even.h %D%/even.c \
    %D%/fields.h %D%/fields.c \
    %D%/gzip.h %D%/gzip.c \
    %D%/job_word.h %D%/job_word.c \
    %D%/journal.h %D%/journal.c %D%/journal_record.c \
    %D%/record.h %D%/record.c %D%/record_file.c %D%/record_json.c \
    %D%/record_fields.h %D%/record_fields.c \
    %D%/steps.def %D%/steps_file.h %D%/steps_column.h %D%/steps_file.c %D%/steps_read.c \
    %D%/steps_keep.h %D%/steps_keep.c %D%/steps_set.h %D%/steps_set.c \
    %D%/record_put.h %D%/record_system.c %D%/record_ranks.c %D%/record_micro.c \
    %D%/workload_fields.c %D%/micro_fields.c \
    %D%/profile_fields.c %D%/record_profile.c \
    %D%/why_fields.c %D%/record_why.c \
    %D%/redact.h %D%/redact.c
%C%_librecord_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(ZLIB_CFLAGS)
%C%_librecord_la_LIBADD = $(CJSON_LIBS) $(ZLIB_LIBS)

# `make renew`: what is made of the tables, in the source tree.
noinst_PROGRAMS += %D%/describe
%C%_describe_SOURCES = %D%/describe.c
%C%_describe_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_describe_LDADD = %D%/librecord.la reports/core/libcore.la
renew: %D%/describe
	%D%/describe schema >$(srcdir)/%D%/record.schema.json
	%D%/describe man >man.tmp
	sed -i -e '/^\.\\" begin of what describe/r man.tmp' \
	    -e '/^\.\\" begin of what describe/,/^\.\\" end of what describe/{//!d}' \
	    $(srcdir)/%D%/hpcai500-record.5
	rm man.tmp
endif
if BUILD_TOOLS
dist_man_MANS += %D%/hpcai500-record.5
dist_pkgdata_DATA += %D%/record.schema.json
else
EXTRA_DIST += %D%/record.schema.json
endif
