# SPDX-License-Identifier: BSD-3-Clause
# The plugin needs libc only, exports Slurm's symbols only, and is hardened.
if BUILD_PLUGIN
slurmplugin_LTLIBRARIES = %D%/hpcai500.la
%C%_hpcai500_la_SOURCES = \
    %D%/plugin.h %D%/plugin.c \
    %D%/login.c %D%/local.c %D%/remote.c %D%/script.c \
    %D%/request.c \
    %D%/site.h %D%/site.c \
    %D%/cmdline.h %D%/cmdline.c \
    %D%/step.h %D%/step.c
%C%_hpcai500_la_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
%C%_hpcai500_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_hpcai500_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-dynamic \
    -Wl,--version-script=$(top_srcdir)/%D%/hpcai500.map \
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
%C%_hpcai500_la_LIBADD = reports/core/libcore.la
%C%_hpcai500_la_DEPENDENCIES = reports/core/libcore.la $(top_srcdir)/%D%/hpcai500.map
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
