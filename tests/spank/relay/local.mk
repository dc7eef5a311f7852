# SPDX-License-Identifier: BSD-3-Clause
# Bundles, credentials, drop folders, the way to the collector.
if BUILD_WITNESS
if BUILD_TESTS
# What these tests and those of the witness share.
check_LTLIBRARIES += %D%/librelay_site.la
%C%_librelay_site_la_SOURCES = %D%/relay.h %D%/relay.c
%C%_librelay_site_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_librelay_site_la_LIBADD = spank/relay/librelay.la $(CMOCKA_LIBS)

check_PROGRAMS += %D%/test_bundle %D%/test_spool %D%/test_relay
TESTS += %D%/test_bundle %D%/test_spool %D%/test_relay
%C%_test_bundle_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MUNGE_CFLAGS)
%C%_test_bundle_LDADD = %D%/librelay_site.la $(MUNGE_LIBS)
%C%_test_spool_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_spool_LDADD = %D%/librelay_site.la
%C%_test_relay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_relay_LDADD = %D%/librelay_site.la
endif
# The collector's socket alone, for tests/faults.
check_PROGRAMS += %D%/receiver
%C%_receiver_SOURCES = %D%/receiver.c
%C%_receiver_LDADD = spank/relay/librelay.la reports/core/libcore.la
endif
EXTRA_DIST += %D%/fuzz_bundle.c %D%/corpus
