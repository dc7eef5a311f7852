# SPDX-License-Identifier: BSD-3-Clause
if BUILD_HISTORY
TESTS += %D%/browser.bats
endif
dist_check_SCRIPTS += %D%/browser.bats %D%/browser.py
