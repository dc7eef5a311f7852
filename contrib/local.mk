# SPDX-License-Identifier: BSD-3-Clause
EXTRA_DIST += \
    %D%/install-deps.sh \
    %D%/first-light.sh \
    %D%/test.sh \
    %D%/bench/plugin-cost.sh \
    %D%/cluster/cluster.sh \
    %D%/cluster/config.sh \
    %D%/cluster/daemons.sh \
    %D%/cluster/nodes.sh \
    %D%/evidence/README.md \
    %D%/evidence/run.sh \
    %D%/evidence/faults.sh \
    %D%/evidence/fuzz.sh

# make print-TESTS: what contrib/test.sh asks of this Makefile
print-%:
	@echo '$($*)'
