# SPDX-License-Identifier: BSD-3-Clause
# Root's prolog and epilog.
if BUILD_WITNESS
if BUILD_TESTS
check_PROGRAMS += %D%/test_witness
TESTS += %D%/test_witness
%C%_test_witness_SOURCES = %D%/test_witness.c
%C%_test_witness_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_witness_LDADD = spank/witness/libwitness.la tests/spank/relay/librelay_site.la
endif
endif
