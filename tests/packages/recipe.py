# SPDX-License-Identifier: BSD-3-Clause
# recipe.py PACKAGE.py: what contrib/spack's recipe declares, read without Spack:
# its directives are played by recorders. Prints "version V", "variant V",
# "depends D", and "argument A" for configure with all variants on, then off.
import runpy
import sys
import types

seen = {"version": [], "variant": [], "depends_on": []}


def recorder(name):
    return lambda what, **words: seen.setdefault(name, []).append((what, words))


class Autotools:
    def with_or_without(self, name):
        return ["--%s-%s" % ("with" if self.on else "without", name)]


class Spec:
    def __init__(self, on):
        self.on = on

    def __contains__(self, word):
        return self.on == word.startswith("+")

    def __getitem__(self, name):
        return types.SimpleNamespace(mpicc="mpicc")


package = types.ModuleType("spack.package")
package.AutotoolsPackage = Autotools
package.join_path = lambda *parts: "/".join(parts)
package.autoreconf = print
for directive in ("version", "variant", "depends_on", "license"):
    setattr(package, directive, recorder(directive))
sys.modules["spack"] = types.ModuleType("spack")
sys.modules["spack.package"] = package
recipe = runpy.run_path(sys.argv[1])["Hpcai500"]()
for name, word in (("version", "version"), ("variant", "variant"), ("depends_on", "depends")):
    for what, words in seen[name]:
        print(word, what, words.get("when", ""))
recipe.prefix = types.SimpleNamespace(lib="/prefix/lib")
for on in (True, False):
    recipe.on, recipe.spec = on, Spec(on)
    for argument in recipe.configure_args():
        print("argument", argument)
