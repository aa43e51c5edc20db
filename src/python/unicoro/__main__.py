# SPDX-License-Identifier: MIT
"""The command: `python -m unicoro`, and the console script of an installation by pip."""

import sys

import _unicoro


def main():
    sys.exit(_unicoro.main())


if __name__ == "__main__":
    main()
