# SPDX-License-Identifier: MIT
"""The package as it lies in the tree, without a server around it."""

import sys

from package_tree import FOLDER

sys.path.insert(0, str(FOLDER))
