# SPDX-License-Identifier: BSD-3-Clause
# Bundles, credentials, drop folders, the way to the collector.
if BUILD_WITNESS
if BUILD_TESTS
check_PROGRAMS += %D%/test_witness
TESTS += %D%/test_witness
%C%_test_witness_SOURCES = %D%/test_witness.c
%C%_test_witness_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MUNGE_CFLAGS)
%C%_test_witness_LDADD = spank/witness/libwitness.la spank/relay/librelay.la $(CMOCKA_LIBS) $(MUNGE_LIBS)
endif
# The collector's socket alone, for tests/faults.
check_PROGRAMS += %D%/receiver
%C%_receiver_SOURCES = %D%/receiver.c
%C%_receiver_LDADD = spank/relay/librelay.la reports/core/libcore.la
endif
EXTRA_DIST += %D%/fuzz_bundle.c %D%/corpus
