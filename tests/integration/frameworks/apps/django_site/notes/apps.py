# SPDX-License-Identifier: MIT
"""The application of the project."""

from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "notes"
