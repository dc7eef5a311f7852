# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TOOLS
TESTS += %D%/validate.bats
endif
dist_check_SCRIPTS += %D%/validate.bats
