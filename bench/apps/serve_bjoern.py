# SPDX-License-Identifier: MIT
"""bjoern has no command: serve_bjoern.py PORT."""

import sys

import bjoern
from hello_wsgi import app

bjoern.run(app, "127.0.0.1", int(sys.argv[1]))
