# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TOOLS
TESTS += %D%/export.bats
endif
dist_check_SCRIPTS += %D%/export.bats %D%/mllog_check.py
