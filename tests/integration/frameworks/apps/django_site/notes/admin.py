# SPDX-License-Identifier: MIT
"""Notes in the admin."""

from django.contrib import admin

from .models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "made"]
    search_fields = ["title"]
