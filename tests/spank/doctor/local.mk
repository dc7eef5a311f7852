# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TOOLS
TESTS += %D%/doctor.bats
endif
dist_check_SCRIPTS += %D%/doctor.bats
