# SPDX-License-Identifier: BSD-3-Clause
# The plugin needs libc only, exports Slurm's symbols only, and is hardened.
if BUILD_PLUGIN
slurmplugin_LTLIBRARIES = spank/hpcai500.la
spank_hpcai500_la_SOURCES = \
    %D%/plugin.h %D%/plugin.c \
    %D%/login.c %D%/local.c %D%/remote.c %D%/script.c \
    %D%/site.h %D%/site.c \
    %D%/cmdline.h %D%/cmdline.c \
    %D%/step.h %D%/step.c
spank_hpcai500_la_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
spank_hpcai500_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
spank_hpcai500_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-dynamic \
    -Wl,--version-script=$(top_srcdir)/%D%/hpcai500.map \
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
spank_hpcai500_la_LIBADD = reports/libcore.la
spank_hpcai500_la_DEPENDENCIES = reports/libcore.la $(top_srcdir)/%D%/hpcai500.map
dist_man_MANS += %D%/spank-hpcai500.8

# Slurm's folder holds plugins, not libtool's notes about them.
install-data-hook:
	rm -f $(DESTDIR)$(slurmplugindir)/hpcai500.la
uninstall-hook:
	rm -f $(DESTDIR)$(slurmplugindir)/hpcai500.so
hpcai500exampledir = $(docdir)/plugstack.conf.d
dist_hpcai500example_DATA = %D%/hpcai500.conf
endif
EXTRA_DIST += %D%/hpcai500.map

# Bundles and credentials, the spool and the collector's socket: the witness
# writes, the collector reads. libc and MUNGE only.
noinst_LTLIBRARIES += spank/libwitness.la
spank_libwitness_la_SOURCES = %D%/bundle.h %D%/bundle.c
spank_libwitness_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(MUNGE_CFLAGS)
spank_libwitness_la_LIBADD = reports/libcore.la
if BUILD_WITNESS
spank_libwitness_la_SOURCES += \
    %D%/cgroup.h %D%/cgroup.c \
    %D%/cred.h %D%/cred.c \
    %D%/forward.h %D%/forward.c \
    %D%/receive.h %D%/receive.c \
    %D%/scan.h %D%/scan.c \
    %D%/spool.h %D%/spool.c \
    %D%/witness.h %D%/witness.c
spank_libwitness_la_LIBADD += $(MUNGE_LIBS)

pkglibexec_PROGRAMS += spank/hpcai500-witness
spank_hpcai500_witness_SOURCES = %D%/witness_main.c
nodist_spank_hpcai500_witness_SOURCES = build_id.h
spank_hpcai500_witness_LDADD = spank/libwitness.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-witness.8
endif

# The one program with libslurm; libslurm may end it, so it stands alone.
if BUILD_SLURMDBD
pkglibexec_PROGRAMS += spank/hpcai500-slurmdbd
dist_man_MANS += %D%/hpcai500-slurmdbd.8
spank_hpcai500_slurmdbd_SOURCES = \
    %D%/admin_comment.h %D%/admin_comment.c %D%/slurmdbd.h %D%/slurmdbd.c \
    %D%/user.h %D%/user.c
spank_hpcai500_slurmdbd_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
spank_hpcai500_slurmdbd_LDADD = reports/libcore.la $(LIBSLURM_LIBS)
endif

# The collector, and what checks a record against its witness.
if BUILD_COLLECTOR
collect_libs = spank/libwitness.la reports/libhistory.la reports/libreports.la reports/libcore.la
pkglibexec_PROGRAMS += spank/hpcai500-collect spank/hpcai500-verify
spank_hpcai500_collect_SOURCES = %D%/collect.c %D%/slurmdbd.h \
    %D%/admin_comment.h %D%/admin_comment.c \
    %D%/collect_account.h %D%/collect_account.c \
    %D%/collect_check.h %D%/collect_check.c \
    %D%/collect_file.h %D%/collect_file.c \
    %D%/collect_quarantine.h %D%/collect_quarantine.c \
    %D%/collect_say.h %D%/collect_say.c \
    %D%/collect_text.h %D%/collect_text.c \
    %D%/user.h %D%/user.c
spank_hpcai500_collect_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(CJSON_CFLAGS)
spank_hpcai500_collect_LDADD = $(collect_libs)
spank_hpcai500_verify_SOURCES = %D%/verify.c %D%/collect_check.h %D%/collect_check.c
spank_hpcai500_verify_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
spank_hpcai500_verify_LDADD = $(collect_libs)
dist_man_MANS += %D%/hpcai500-collect.8 %D%/hpcai500-verify.1
endif

# hpcai500 doctor: looks at everything, with whatever this build has.
if BUILD_TOOLS
pkglibexec_PROGRAMS += spank/hpcai500-doctor
spank_hpcai500_doctor_SOURCES = %D%/doctor.h %D%/doctor.c %D%/doctor_checks.c \
    %D%/doctor_nodes.c %D%/doctor_run.c %D%/doctor_slurm.c
nodist_spank_hpcai500_doctor_SOURCES = build_id.h
spank_hpcai500_doctor_CFLAGS = $(AM_CFLAGS) $(MUNGE_CFLAGS)
spank_hpcai500_doctor_LDADD =
if BUILD_HISTORY
spank_hpcai500_doctor_LDADD += reports/libhistory.la
endif
spank_hpcai500_doctor_LDADD += spank/libwitness.la reports/libreports.la reports/libcore.la
dist_man_MANS += %D%/hpcai500-doctor.1
endif
