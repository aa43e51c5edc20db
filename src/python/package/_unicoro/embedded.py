# SPDX-License-Identifier: MIT
"""Imports this package out of the program that it was built into: no file is looked for, and none that lies in
sys.path can take its place.

The program runs this module first and calls `install`. Code was compiled when the program was built, for the
Python it runs in; where there is none, it is compiled from the text. Tracebacks, `inspect` and debuggers get the
text of a line from `get_source`, through linecache.
"""

import marshal
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

# Between brackets, as names of files that are none, but not at the end: linecache asks nobody for those.
FOLDER = "<unicoro>"


class Importer:
    """Finds and loads `modules`: by name whether it is a package, its code (marshalled, or None), its text."""

    def __init__(self, modules):
        self._modules = modules

    def find_spec(self, name, path=None, target=None):
        if name not in self._modules:
            return None
        return ModuleSpec(name, self, origin=self.get_filename(name), is_package=self.is_package(name))

    def create_module(self, spec):
        """The usual kind of module."""

    def exec_module(self, module):
        module.__file__ = module.__spec__.origin
        exec(self.get_code(module.__spec__.name), vars(module))

    def get_code(self, name):
        code = self._modules[name][1]
        if code is not None:
            return marshal.loads(code)
        return compile(self.get_source(name), self.get_filename(name), "exec", dont_inherit=True)

    def get_source(self, name):
        return str(self._modules[name][2], "utf-8")

    def get_filename(self, name):
        inner = name.partition(".")[2]
        return f"{FOLDER}/{inner or '__init__'}.py"

    def is_package(self, name):
        return self._modules[name][0]


def is_ours(file):
    """Whether code whose file is called so is of this package."""
    return file.startswith(FOLDER + "/")


def install(modules, package=None):
    """Makes them importable, under `package` or a new one. Their importer is the last to be asked, so that whoever
    imports something else does not pay for it; that is early enough, since the package is here from now on, with
    an empty `__path__`, in which others find nothing.
    """
    global __spec__, __loader__
    importer = Importer(modules)
    sys.meta_path.append(importer)
    # This one was not imported by it.
    __spec__, __loader__ = importer.find_spec(__name__), importer
    if package is None:
        package = module_from_spec(importer.find_spec(__spec__.parent))
    package.__path__ = []
    sys.modules[package.__name__] = package
    importer.exec_module(package)
