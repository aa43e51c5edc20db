# SPDX-License-Identifier: MIT
"""What `unicoro` has an interpreter run that it becomes (become_python.cpp): imports the server's module, which
is installed for this interpreter or else lies in one of the folders that are given, and starts it.

Any interpreter may meet this, so that its syntax is that of all.
"""

import sys

FOLDERS, ANSWERS = sys.argv[1].split(":"), int(sys.argv[2])
sys.argv = sys.argv[3:]
# The first entry stands for the working directory, where no module of the server is looked for.
if sys.path[:1] == [""]:
    del sys.path[0]


def give_up(reason):
    sys.stderr.write("unicoro: error: " + reason + "\n")
    sys.exit(3)


def remedy():
    import os
    import sysconfig

    install = "-m pip install unicoro"
    managed = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if sys.prefix == sys.base_prefix and os.path.exists(managed):
        return "%s -m venv .venv && .venv/bin/python %s" % (sys.executable, install)
    return "%s %s" % (sys.executable, install)


def free_threaded():
    import sysconfig

    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def find():
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    return find_spec("_unicoro") or PathFinder.find_spec("_unicoro", FOLDERS)


def load(spec):
    from importlib.util import module_from_spec

    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start():
    version = "%d.%d" % sys.version_info[:2]
    name = getattr(getattr(sys, "implementation", None), "name", "cpython")
    if sys.version_info < (3, 10) or name != "cpython":
        give_up(
            "%s is %s %s; Unicoro needs CPython 3.10 or newer: name one with --python" % (sys.executable, name, version)
        )
    spec = find()
    if spec is None and free_threaded():
        give_up(
            "%s is a free-threaded Python %s, which Unicoro is not made for: name one with a GIL with --python"
            % (sys.executable, version)
        )
    if spec is None:
        give_up("Unicoro is not installed for %s (Python %s): %s" % (sys.executable, version, remedy()))
    try:
        module = load(spec)
    except ImportError as error:
        give_up("%s cannot be loaded: %s" % (spec.origin, error))
    return module.main(ANSWERS)


sys.exit(start())
