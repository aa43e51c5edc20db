# SPDX-License-Identifier: MIT
"""The project as ASGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_settings")
application = get_asgi_application()
