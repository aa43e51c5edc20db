# SPDX-License-Identifier: MIT
"""The command as an entry point: `unicoro.app.wsgiapp:run`, where gunicorn's was one."""

from ..__main__ import main


def run(prog=None):
    """The command `unicoro` with the words of sys.argv."""
    main()


if __name__ == "__main__":
    run()
