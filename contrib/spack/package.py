# SPDX-License-Identifier: BSD-3-Clause
# A recipe for Spack. From a checkout or a tarball:
#   spack repo create ~/hpcai500-repo hpcai500
#   mkdir -p ~/hpcai500-repo/packages/hpcai500
#   cp contrib/spack/package.py ~/hpcai500-repo/packages/hpcai500/
#   spack repo add ~/hpcai500-repo
#   spack dev-build hpcai500@0.1.0
from spack.package import *

try:  # since Spack 1.0 build systems are part of the packages
    from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
except ImportError:
    pass


class Hpcai500(AutotoolsPackage):
    """HPC AI500 benchmark as a citizen of Slurm: how fast a cluster trains
    neural networks of the sciences to a given quality, and why."""

    license("BSD-3-Clause", checked_by="hpcai500 authors")
    # No archive is published yet: spack dev-build takes the tree at hand.
    has_code = True

    version("0.1.0")

    variant("slurm", default=True, description="The plugin for Slurm")
    variant("munge", default=True, description="Root's witness and, with sqlite, the collector")
    variant("onednn", default=True, description="Operators by oneDNN, else plain C")
    variant("papi", default=True, description="Hardware counters by PAPI")
    variant("fftw", default=True, description="The generator of data")
    variant("png", default=True, description="Samples as pictures: data view")
    variant("libdeflate", default=True, description="Inflate data with libdeflate")

    depends_on("c", type="build")
    depends_on("autoconf", type="build")
    depends_on("automake@1.16:", type="build")
    depends_on("libtool", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5")
    depends_on("cjson")
    depends_on("zlib-api")
    depends_on("sqlite@3.24:")
    depends_on("hwloc@2:")
    depends_on("slurm@22-05:", when="+slurm")
    depends_on("munge", when="+munge")
    depends_on("onednn@2:", when="+onednn")
    depends_on("papi", when="+papi")
    depends_on("fftw@3:", when="+fftw")
    depends_on("libpng", when="+png")
    depends_on("libdeflate", when="+libdeflate")

    def autoreconf(self, spec, prefix):
        autoreconf("-fi")

    def configure_args(self):
        args = ["--with-hdf5", "--with-cjson", "--with-zlib", "--with-sqlite", "--with-hwloc"]
        args.append("MPICC={0}".format(self.spec["mpi"].mpicc))
        for name in ("slurm", "munge", "onednn", "papi", "fftw", "png", "libdeflate"):
            args.extend(self.with_or_without(name))
        args.append("--{0}-libslurm".format("with" if "+slurm" in self.spec else "without"))
        # The plugin stays in the prefix; plugstack.conf names it by its path.
        args.append("--with-slurm-plugindir={0}".format(join_path(self.prefix.lib, "slurm")))
        return args
