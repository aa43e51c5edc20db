# SPDX-License-Identifier: MIT
"""A program that embeds the server derives a class from BaseApplication, whose protocol is gunicorn's:

    class Site(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", "0.0.0.0:8000")
            self.cfg.set("workers", 4)

        def load(self):
            return app

    Site().run()
"""

import sys

from _unicoro import program

from .config import Config, UnknownSetting


class BaseApplication:
    """Settings by `load_config`, the WSGI or ASGI application by `load`, the server by `run`.

    `cfg` has the settings. Neither files nor the command line are read for them.
    """

    def __init__(self, usage=None, prog=None):
        self.usage, self.prog = usage, prog
        self.cfg = self.callable = self.logger = None
        self.do_load_config()

    def do_load_config(self):
        """Default settings, then the program's. A name that is none is said on standard error and ends the
        program."""
        try:
            self.load_default_config()
            self.load_config()
        except UnknownSetting as error:
            sys.stderr.write(f"unicoro: error: {type(self).__name__}: {error}\n")
            sys.exit(2)

    def load_default_config(self):
        self.cfg = Config()

    def init(self, parser, opts, args):
        """Part of the protocol, for programs that call it themselves."""
        raise NotImplementedError

    def load_config(self):
        """Sets what the program wants: self.cfg.set(name, value). Called anew for each reload (HUP)."""
        raise NotImplementedError

    def load(self):
        """The WSGI or ASGI application. Called in each worker, or once, with preload_app, in what forks them."""
        raise NotImplementedError

    def reload(self):
        """Called in the master on HUP, before it asks for the settings."""
        self.do_load_config()

    def wsgi(self):
        """The application, loaded once in a process."""
        if self.callable is None:
            self.callable = self.load()
        return self.callable

    def run(self):
        """Serves until a signal ends it, then exits; so does each worker, in which this call ends, too."""
        # Else each worker would write once more what waits to be written.
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        sys.exit(program.serve(self))
