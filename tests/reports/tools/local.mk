# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TOOLS
TESTS += %D%/show.bats %D%/config.bats %D%/completion.bats %D%/help.bats
endif
if BUILD_HISTORY
TESTS += %D%/history.bats
endif
dist_check_SCRIPTS += %D%/show.bats %D%/config.bats %D%/completion.bats %D%/help.bats %D%/history.bats
EXTRA_DIST += %D%/golden
