# SPDX-License-Identifier: MIT
"""Views that block."""

import hashlib
import json
import time

from django.core.files.storage import default_storage
from django.core.signals import request_finished
from django.db import transaction
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt

from .models import Attachment, Note, Tag

finished_requests = 0


def count_finished(**_):
    global finished_requests
    finished_requests += 1


request_finished.connect(count_finished)


def index(request):
    return HttpResponse("Hello from Django\n", content_type="text/plain")


@csrf_exempt
def notes(request):
    if request.method == "POST":
        sent = json.loads(request.body)
        with transaction.atomic():
            note = Note.objects.create(title=sent["title"], text=sent.get("text", ""))
            for name in sent.get("tags", []):
                note.tags.add(Tag.objects.get_or_create(name=name)[0])
        return JsonResponse(note.as_json(), status=201)
    found = Note.objects.order_by("pk")
    if tag := request.GET.get("tag"):
        found = found.filter(tags__name=tag)
    return JsonResponse({"notes": [note.as_json() for note in found], "count": found.count()})


def note(request, key):
    return JsonResponse(get_object_or_404(Note, pk=key).as_json())


@csrf_exempt
def all_or_nothing(request):
    """Makes a note and fails: nothing of it may stay."""
    with transaction.atomic():
        Note.objects.create(title="half")
        raise ValueError("on purpose, within a transaction")


def form(request):
    if request.method == "POST":
        return HttpResponse(f"title is {request.POST['title']}")
    return render(request, "form.html", {"title": "a & b"})


@csrf_exempt
def upload(request):
    found = {}
    owner = Note.objects.create(title=request.POST["title"])
    for field, file in request.FILES.items():
        sha = hashlib.sha256()
        for chunk in file.chunks():
            sha.update(chunk)
        saved = Attachment.objects.create(note=owner, file=file)
        found[field] = {
            "sha256": sha.hexdigest(),
            "size": file.size,
            "name": file.name,
            "stored": saved.file.name,
            "by": type(file).__name__,
        }
    return JsonResponse(found)


def download(request, name):
    return FileResponse(default_storage.open(name), as_attachment=True)


def stream(request):
    def rows():
        for number in range(int(request.GET.get("rows", 3))):
            yield f"row {number}\n"

    return StreamingHttpResponse(rows(), content_type="text/plain")


def visits(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"visits": request.session["visits"]})


def finished(request):
    return JsonResponse({"finished": finished_requests})


def sleep(request):
    """Holds the request and then needs the database, on a connection of its own."""
    time.sleep(float(request.GET.get("seconds", "0.2")))
    return JsonResponse({"notes": Note.objects.count()})


def boom(request):
    raise ValueError("on purpose")
