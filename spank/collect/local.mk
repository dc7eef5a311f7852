# SPDX-License-Identifier: BSD-3-Clause
# The collector, and what checks a record against its witness.
if BUILD_COLLECTOR
collect_libs = spank/relay/librelay.la reports/history/libhistory.la reports/record/librecord.la reports/core/libcore.la
noinst_LTLIBRARIES += %D%/libcollect.la
%C%_libcollect_la_SOURCES = \
    %D%/collect_account.h %D%/collect_account.c \
    %D%/collect_check.h %D%/collect_check.c \
    %D%/collect_file.h %D%/collect_file.c \
    %D%/collect_hostlist.h %D%/collect_hostlist.c \
    %D%/collect_job.h %D%/collect_job.c \
    %D%/collect_journals.h %D%/collect_journals.c \
    %D%/collect_judge.h %D%/collect_judge.c \
    %D%/collect_pass.h %D%/collect_pass.c \
    %D%/collect_quarantine.h %D%/collect_quarantine.c \
    %D%/collect_say.h %D%/collect_say.c \
    %D%/collect_store.h %D%/collect_store.c \
    %D%/collector.h \
    %D%/collect_text.h %D%/collect_text.c \
    %D%/witness_read.c
%C%_libcollect_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(CJSON_CFLAGS)
%C%_libcollect_la_LIBADD = spank/account/libaccount.la $(collect_libs)

pkglibexec_PROGRAMS += %D%/hpcai500-collect %D%/hpcai500-reader %D%/hpcai500-verify
%C%_hpcai500_reader_SOURCES = %D%/reader.c
%C%_hpcai500_reader_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_hpcai500_reader_LDADD = reports/core/libmain.la %D%/libcollect.la
%C%_hpcai500_collect_SOURCES = %D%/collect.c
%C%_hpcai500_collect_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_collect_LDADD = reports/core/libmain.la %D%/libcollect.la
%C%_hpcai500_verify_SOURCES = %D%/verify.c
%C%_hpcai500_verify_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_verify_LDADD = reports/core/libmain.la %D%/libcollect.la
dist_man_MANS += %D%/hpcai500-collect.8 %D%/hpcai500-reader.8 %D%/hpcai500-verify.1
endif
