# SPDX-License-Identifier: BSD-3-Clause
EXTRA_DIST += \
    %D%/install-deps.sh \
    %D%/first-light.sh \
    %D%/pictures/path-of-a-record.svg \
    %D%/pictures/view-defect.png \
    %D%/pictures/view-hep.png \
    %D%/pictures/report-page-one.png \
    %D%/test.sh \
    %D%/bench/collect.sh \
    %D%/bench/loader.sh \
    %D%/bench/README.md \
    %D%/bench/allreduce.sh \
    %D%/bench/plugin-cost.sh \
    %D%/bench/ranks.sh \
    %D%/bench/history.sh \
    %D%/bench/report.sh \
    %D%/bench/kernels.sh \
    %D%/bench/steps.sh \
    %D%/cluster/cluster.sh \
    %D%/cluster/config.sh \
    %D%/cluster/daemons.sh \
    %D%/cluster/nodes.sh \
    %D%/evidence/README.md \
    %D%/evidence/run.sh \
    %D%/evidence/rpm.sh \
    %D%/evidence/debian.sh \
    %D%/evidence/deeplab.sh \
    %D%/evidence/forecast_standard.sh \
    %D%/evidence/faults.sh \
    %D%/evidence/faults-io.sh \
    %D%/evidence/import.sh \
    %D%/evidence/shares.sh \
    %D%/evidence/real.sh \
    %D%/evidence/replay.sh \
    %D%/evidence/validate.sh \
    %D%/evidence/nodes.sh \
    %D%/evidence/wide.sh \
    %D%/evidence/truth.sh \
    %D%/evidence/truth.py \
    %D%/evidence/trace.sh %D%/evidence/trace.c %D%/evidence/trace.py \
    %D%/evidence/why.sh \
    %D%/evidence/axe.sh \
    %D%/evidence/rcp.sh \
    %D%/evidence/batches.sh \
    %D%/evidence/bands.sh \
    %D%/evidence/table.sh \
    %D%/evidence/fuzz.sh \
    %D%/evidence/mllog.sh \
    %D%/evidence/onednn3.sh \
    %D%/packages/deb.sh \
    %D%/packages/rpm.sh \
    %D%/rpm/hpcai500.spec \
    %D%/spack/package.py \
    %D%/debian

# make print-TESTS: what contrib/test.sh asks of this Makefile
print-%:
	@echo '$($*)'

EXTRA_DIST += %D%/bench/components.sh %D%/bench/components.py

# Built on demand by contrib/bench/components.sh, never installed.
if HAVE_HDF5
EXTRA_PROGRAMS += contrib/bench/engine_bench
contrib_bench_engine_bench_SOURCES = \
    %D%/bench/engine_bench.c %D%/bench/peaks.h %D%/bench/peaks.c
contrib_bench_engine_bench_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
contrib_bench_engine_bench_LDADD = workloads/component/libcomponent.la reports/core/libcore.la -lm
endif

# Built on demand by contrib/bench/steps.sh.
if HAVE_HDF5
if HAVE_CJSON
EXTRA_PROGRAMS += contrib/bench/steps_bench
contrib_bench_steps_bench_SOURCES = %D%/bench/steps_bench.c
contrib_bench_steps_bench_CFLAGS = $(AM_CFLAGS)
contrib_bench_steps_bench_LDADD = workloads/component/libcomponent.la reports/record/librecord.la reports/core/libcore.la
endif
endif

# Built on demand by contrib/bench/kernels.sh.
if HAVE_ONEDNN
EXTRA_PROGRAMS += contrib/bench/kernel_bench
contrib_bench_kernel_bench_SOURCES = %D%/bench/kernel_bench.c
contrib_bench_kernel_bench_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
contrib_bench_kernel_bench_LDADD = workloads/engine/libengine.la reports/core/libcore.la
endif

# Built on demand by contrib/bench/loader.sh.
if BUILD_DATA
EXTRA_PROGRAMS += contrib/bench/loader_bench
contrib_bench_loader_bench_SOURCES = %D%/bench/loader_bench.c
contrib_bench_loader_bench_CFLAGS = $(AM_CFLAGS) $(ZLIB_CFLAGS)
contrib_bench_loader_bench_LDADD = workloads/component/libcomponent.la workloads/data/libdata.la reports/core/libcore.la $(ZLIB_LIBS)
endif

# Units for systemd: installed where --with-systemdsystemunitdir says, else
# among the documents.
if BUILD_COLLECTOR
collect_units = contrib/systemd/hpcai500-collect.service contrib/systemd/hpcai500-collect-once.service \
    contrib/systemd/hpcai500-reader.service contrib/systemd/hpcai500-act@.service
if HAVE_SYSTEMDUNITDIR
systemdsystemunit_DATA = $(collect_units) %D%/systemd/hpcai500-collect-once.timer %D%/systemd/hpcai500-reader.socket \
    %D%/systemd/hpcai500-act@.timer
else
systemddocdir = $(docdir)/systemd
systemddoc_DATA = $(collect_units) %D%/systemd/hpcai500-collect-once.timer %D%/systemd/hpcai500-reader.socket \
    %D%/systemd/hpcai500-act@.timer
endif
systemdexampledir = $(docdir)/systemd
systemdexample_DATA = %D%/systemd/hpcai500.tmpfiles %D%/systemd/hpcai500.sysusers
CLEANFILES += $(collect_units)
$(collect_units): Makefile
	@$(MKDIR_P) contrib/systemd
	@sed 's,[@]pkglibexecdir[@],$(pkglibexecdir),' $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
contrib/systemd/hpcai500-collect.service: %D%/systemd/hpcai500-collect.service.in
contrib/systemd/hpcai500-collect-once.service: %D%/systemd/hpcai500-collect-once.service.in
contrib/systemd/hpcai500-reader.service: %D%/systemd/hpcai500-reader.service.in
contrib/systemd/hpcai500-act@.service: %D%/systemd/hpcai500-act@.service.in
endif
EXTRA_DIST += %D%/systemd/hpcai500-collect.service.in \
    %D%/systemd/hpcai500-collect-once.service.in %D%/systemd/hpcai500-collect-once.timer \
    %D%/systemd/hpcai500.tmpfiles %D%/systemd/hpcai500.sysusers \
    %D%/systemd/hpcai500-act@.service.in %D%/systemd/hpcai500-act@.timer \
    %D%/systemd/hpcai500-reader.service.in %D%/systemd/hpcai500-reader.socket

dist_doc_DATA += %D%/check_hpcai500.nhc
EXTRA_DIST += %D%/frameworks/pytorch/checkpoint.py %D%/frameworks/pytorch/deepcam.py \
    %D%/frameworks/pytorch/deeplab.py \
    %D%/frameworks/pytorch/defect.py %D%/frameworks/pytorch/twin.py \
    %D%/frameworks/pytorch/forecast.py %D%/frameworks/pytorch/hep.py
EXTRA_DIST += %D%/bench/micro.sh %D%/bench/pairs.awk %D%/bench/read.sh
EXTRA_DIST += %D%/bench/profile.sh %D%/bench/start.sh

# Built on demand by contrib/bench/micro.sh, never installed.
EXTRA_PROGRAMS += contrib/bench/micro_bench
contrib_bench_micro_bench_SOURCES = %D%/bench/micro_bench.c
contrib_bench_micro_bench_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS) -O3
contrib_bench_micro_bench_LDADD = workloads/micro/libmicro.la -ldl

# Built on demand by contrib/bench/read.sh, never installed.
if BUILD_DATA
EXTRA_PROGRAMS += contrib/bench/read_bench
contrib_bench_read_bench_SOURCES = %D%/bench/read_bench.c
contrib_bench_read_bench_LDADD = workloads/micro/libstorage.la workloads/micro/libmicro.la reports/core/libcore.la
endif
