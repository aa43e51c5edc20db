# SPDX-License-Identifier: MIT
"""Sets the Django project of apps/django_site up: its database, and an account for its admin."""

import os
import subprocess
import sys

from conftest import APPS

SITE = APPS / "django_site"
ADMIN = {"username": "admin", "password": "only for tests"}

SET_UP = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=1)
from django.contrib.auth.models import User
User.objects.create_superuser({username!r}, "admin@test.example", {password!r})
"""


def set_up(scratch) -> dict[str, str]:
    """Migrates a new database in `scratch`; returns what the server's environment needs."""
    env = {"DJANGO_SCRATCH": str(scratch), "DJANGO_SETTINGS_MODULE": "django_settings"}
    done = subprocess.run(
        [sys.executable, "-B", "-c", SET_UP.format(**ADMIN)],
        cwd=SITE, env=os.environ | env, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Applying notes.0001_initial... OK" in done.stdout
    return env
