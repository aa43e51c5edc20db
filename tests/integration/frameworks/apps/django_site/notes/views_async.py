# SPDX-License-Identifier: MIT
"""Views that are coroutines."""

import asyncio

from django.http import JsonResponse, StreamingHttpResponse

from .models import Note

waiting = []
cancelled = []


async def gathered(request):
    async def one(number):
        await asyncio.sleep(0.01)
        return number

    return JsonResponse({"gathered": await asyncio.gather(one(1), one(2), one(3))})


async def notes(request):
    made = await Note.objects.acreate(title=request.GET["title"])
    titles = [note.title async for note in Note.objects.filter(pk=made.pk)]
    await made.adelete()
    return JsonResponse({"titles": titles})


async def stream(request):
    async def rows():
        for number in range(int(request.GET.get("rows", 3))):
            await asyncio.sleep(0)
            yield f"row {number}\n"

    return StreamingHttpResponse(rows(), content_type="text/plain")


async def wait_for_ever(request):
    """Ends only by being cancelled, because its client has left."""
    waiting.append(request.GET["who"])
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append(request.GET["who"])
        raise


async def cancelled_views(request):
    return JsonResponse({"waiting": waiting, "cancelled": cancelled})
