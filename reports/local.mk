# SPDX-License-Identifier: BSD-3-Clause
# The vocabulary. libcore needs libc only and is all that the plugin links.
noinst_LTLIBRARIES += reports/libcore.la
reports_libcore_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
reports_libcore_la_SOURCES = \
    %D%/crc32c.h %D%/crc32c.c \
    %D%/err.h %D%/err.c \
    %D%/fdio.h %D%/fdio.c \
    %D%/config.h %D%/config.c \
    %D%/measure.h \
    %D%/nearest.h %D%/nearest.c \
    %D%/result.h %D%/result.c \
    %D%/sha256.h %D%/sha256.c \
    %D%/runspec.h %D%/runspec.c \
    %D%/witness.h %D%/witness.c \
    %D%/workloads.def

# The record and what reads it (cJSON, zlib).
if HAVE_CJSON
noinst_LTLIBRARIES += reports/libreports.la
reports_libreports_la_SOURCES = \
    %D%/facts.def \
    %D%/fields.h %D%/fields.c \
    %D%/journal.h %D%/journal.c %D%/journal_record.c \
    %D%/record.h %D%/record.c %D%/record_json.c %D%/record_file.c \
    %D%/record_fields.h %D%/record_fields.c \
    %D%/redact.h %D%/redact.c \
    %D%/utf8.h %D%/utf8.c \
    %D%/witness_read.c \
    %D%/xml.h %D%/xml.c
reports_libreports_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(ZLIB_CFLAGS)
reports_libreports_la_LIBADD = $(CJSON_LIBS) $(ZLIB_LIBS)
endif

if BUILD_TOOLS
bin_PROGRAMS += reports/hpcai500
reports_hpcai500_SOURCES = %D%/hpcai500.c
nodist_reports_hpcai500_SOURCES = build_id.h
reports_hpcai500_LDADD = reports/libcore.la
dist_man_MANS += %D%/hpcai500.1

pkglibexec_PROGRAMS += reports/hpcai500-show reports/hpcai500-recover
reports_hpcai500_show_SOURCES = %D%/show.c
reports_hpcai500_show_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
reports_hpcai500_show_LDADD = reports/libreports.la reports/libcore.la
reports_hpcai500_recover_SOURCES = %D%/recover.c
reports_hpcai500_recover_LDADD = reports/libreports.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-show.1 %D%/hpcai500-recover.1 %D%/hpcai500-record.5

pkglibexec_PROGRAMS += reports/hpcai500-config
reports_hpcai500_config_SOURCES = %D%/config_tool.c
reports_hpcai500_config_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
reports_hpcai500_config_LDADD = reports/libreports.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-config.1 %D%/hpcai500.conf.5

pkglibexec_PROGRAMS += reports/hpcai500-export
reports_hpcai500_export_SOURCES = %D%/export.h %D%/export.c %D%/export_table.c \
    %D%/export_prometheus.c %D%/export_junit.c %D%/export_job.h %D%/export_job.c \
    %D%/export_cockpit.c %D%/export_xdmod.c %D%/mllog.c
reports_hpcai500_export_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
reports_hpcai500_export_LDADD =
if BUILD_HISTORY
reports_hpcai500_export_SOURCES += %D%/export_history.c
reports_hpcai500_export_LDADD += reports/libhistory.la
endif
reports_hpcai500_export_LDADD += reports/libreports.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-export.1
dist_doc_DATA += %D%/hpcai500.conf.example
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = %D%/completion/hpcai500

dist_pkgdata_DATA += %D%/schema/record.schema.json
else
EXTRA_DIST += %D%/schema/record.schema.json
endif

# The history and the archive (SQLite, zlib).
if BUILD_HISTORY
noinst_LTLIBRARIES += reports/libhistory.la
reports_libhistory_la_SOURCES = \
    %D%/archive.h %D%/archive.c \
    %D%/history.h %D%/history.c %D%/history_file.c %D%/history_ask.c \
    %D%/history_db.h %D%/history_schema.h \
    %D%/history_series.h %D%/history_series.c \
    %D%/history_table.h %D%/history_table.c \
    %D%/history_words.h %D%/history_words.c \
    %D%/change.h %D%/change.c \
    %D%/plot.h %D%/plot.c
reports_libhistory_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(SQLITE_CFLAGS) $(ZLIB_CFLAGS)
reports_libhistory_la_LIBADD = $(CJSON_LIBS) $(SQLITE_LIBS) $(ZLIB_LIBS)

pkglibexec_PROGRAMS += reports/hpcai500-history reports/hpcai500-forget
reports_hpcai500_history_SOURCES = %D%/history_show.c
reports_hpcai500_history_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
reports_hpcai500_history_LDADD = \
    reports/libhistory.la reports/libreports.la reports/libcore.la
reports_hpcai500_forget_SOURCES = %D%/forget.c
reports_hpcai500_forget_LDADD = $(reports_hpcai500_history_LDADD)
dist_man_MANS += %D%/hpcai500-history.1 %D%/hpcai500-forget.1
endif
