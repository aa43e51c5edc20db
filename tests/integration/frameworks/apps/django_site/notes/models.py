# SPDX-License-Identifier: MIT
"""Notes, and files that belong to them."""

from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=40, unique=True)


class Note(models.Model):
    title = models.CharField(max_length=80)
    text = models.TextField(blank=True)
    made = models.DateTimeField(auto_now_add=True)
    tags = models.ManyToManyField(Tag, related_name="notes")

    def as_json(self):
        return {"id": self.pk, "title": self.title, "text": self.text}


class Attachment(models.Model):
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField()
