# SPDX-License-Identifier: MIT
"""Paths of the project."""

from django.contrib import admin
from django.urls import path
from notes import views, views_async

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.index),
    path("notes/", views.notes),
    path("notes/<int:key>/", views.note),
    path("notes/all_or_nothing/", views.all_or_nothing),
    path("form/", views.form),
    path("upload/", views.upload),
    path("download/<str:name>", views.download),
    path("stream/", views.stream),
    path("visits/", views.visits),
    path("finished/", views.finished),
    path("sleep/", views.sleep),
    path("boom/", views.boom),
    path("async/", views_async.gathered),
    path("async/notes/", views_async.notes),
    path("async/stream/", views_async.stream),
    path("async/wait/", views_async.wait_for_ever),
    path("async/cancelled/", views_async.cancelled_views),
]
