# SPDX-License-Identifier: MIT
"""bjoern has no command: serve_bjoern.py PORT MODULE."""

import importlib
import sys

import bjoern

bjoern.run(importlib.import_module(sys.argv[2]).app, "127.0.0.1", int(sys.argv[1]))
