# SPDX-License-Identifier: MIT
"""Files that frameworks have the server send, and pages for it to compress: Flask, Django and Starlette."""

import os
from urllib.parse import quote

FILES = os.environ.get("SITE_FILES", "/nowhere")
ROWS = [{"id": number, "name": "somebody"} for number in range(2000)]


def make_flask():
    import flask

    app = flask.Flask(__name__)
    app.config["USE_X_SENDFILE"] = True

    @app.get("/download/<path:name>")
    def download(name):
        return flask.send_from_directory(FILES, name, as_attachment=True, max_age=60)

    @app.get("/rows")
    def rows():
        return flask.jsonify(ROWS)

    return app


def make_django():
    import django
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path

    def download(request, name):
        if request.GET.get("user") != "admin":
            return HttpResponse("no", status=403)
        response = HttpResponse(headers={"X-Accel-Redirect": quote(f"/protected/{name}"),
                                         "Content-Disposition": "attachment"})
        del response["Content-Type"]
        response.set_cookie("downloaded", "1")
        return response

    def rows(request):
        return JsonResponse(ROWS, safe=False)

    def lines(request):
        return StreamingHttpResponse((f"{row}\n" for row in ROWS), content_type="text/plain")

    if not settings.configured:
        settings.configure(
            SECRET_KEY="only for tests", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
            MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware", "django.middleware.common.CommonMiddleware"],
        )
        django.setup()
    return [path("download/<path:name>", download), path("rows", rows), path("lines", lines)], \
        get_wsgi_application(), get_asgi_application()


def make_starlette():
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    seen = []

    async def download(request):
        name = quote(f"/protected/{request.path_params['name']}")
        # In the background of a response that the server replaces.
        done = BackgroundTask(seen.append, name)
        return Response(headers={"X-Accel-Redirect": name}, background=done)

    async def downloaded(request):
        return JSONResponse(seen)

    async def rows(request):
        return JSONResponse(ROWS)

    async def lines(request):
        async def each():
            for row in ROWS:
                yield f"{row}\n"

        return StreamingResponse(each(), media_type="text/plain")

    return Starlette(routes=[Route("/download/{name:path}", download), Route("/downloaded", downloaded),
                             Route("/rows", rows), Route("/lines", lines)])


flask_app = make_flask()
urlpatterns, django_wsgi, django_asgi = make_django()
starlette_app = make_starlette()
