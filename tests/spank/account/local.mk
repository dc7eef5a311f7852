# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
account_tests = %D%/test_admin_comment %D%/test_user
check_PROGRAMS += $(account_tests)
TESTS += $(account_tests)
%C%_test_admin_comment_SOURCES = %D%/test_admin_comment.c
%C%_test_admin_comment_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_admin_comment_LDADD = spank/account/libaccount.la $(CMOCKA_LIBS)
%C%_test_user_SOURCES = %D%/test_user.c
%C%_test_user_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_user_LDADD = spank/account/libaccount.la $(CMOCKA_LIBS)
endif
EXTRA_DIST += %D%/fuzz_admin_comment.c %D%/corpus
