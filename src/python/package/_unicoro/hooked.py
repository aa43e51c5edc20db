# SPDX-License-Identifier: MIT
"""An application with pre_request and post_request around each call."""

import inspect

from .gunicorn_objects import Request, Response


def _request_of_environ(environ):
    headers = [
        (key[5:].replace("_", "-"), value) for key, value in environ.items() if key.startswith("HTTP_")
    ]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers.append((key.replace("_", "-"), environ[key]))
    version = environ["SERVER_PROTOCOL"].rpartition("/")[2].split(".")
    request = Request(
        environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""), tuple(map(int, version)), headers,
        (environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT") or 0)),
    )
    request.scheme, request.body = environ["wsgi.url_scheme"], environ["wsgi.input"]
    request.uri = environ.get("RAW_URI", request.uri)
    return request


class _Hooked:
    def __init__(self, application, server):
        self.application, self.server = application, server
        self.post = server.hooks.get("post_request")
        # gunicorn grew this hook's arguments one by one and still takes the older forms.
        self.count = 4
        if self.post is not None:
            try:
                parameters = inspect.signature(self.post).parameters.values()
                if not any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
                    self.count = len(parameters)
            except (TypeError, ValueError):
                pass

    def before(self, request):
        self.server.worker.nr += 1
        self.server.fire("pre_request", self.server.worker, request)

    def after(self, request, environ, response):
        if self.post is None:
            return
        try:
            self.post(*(self.server.worker, request, environ, response)[: self.count])
        except Exception:
            self.server.log.exception("Exception in post_request hook")


class HookedWSGI(_Hooked):
    def __call__(self, environ, start_response):
        request = _request_of_environ(environ)
        response = Response(request)
        self.before(request)

        def start(status, headers, *exc_info):
            response.status, response.headers = status, headers
            write = start_response(status, headers, *exc_info)

            def counted(data):
                response.sent += len(data)
                return write(data)

            return counted

        try:
            body = self.application(environ, start)
        except BaseException:
            self.after(request, environ, response)
            raise
        if isinstance(body, (list, tuple)):
            # As it is: the server sees that it is whole, and tells its length.
            response.sent += sum(map(len, body))
            self.after(request, environ, response)
            return body
        return _HookedBody(body, self, request, environ, response)


class _HookedBody:
    def __init__(self, body, hooked, *told):
        self.body, self.hooked, self.told = body, hooked, told
        self.pieces = iter(body)

    def __iter__(self):
        return self

    def __next__(self):
        piece = next(self.pieces)
        self.told[2].sent += len(piece)
        return piece

    def close(self):
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            self.hooked.after(*self.told)


class HookedASGI(_Hooked):
    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            return await self.application(scope, receive, send)
        headers = [(name.decode("latin-1").upper(), value.decode("latin-1")) for name, value in scope["headers"]]
        version = tuple(map(int, (scope["http_version"] + ".0").split(".")[:2]))
        request = Request(
            scope.get("method", "GET"), scope["path"], scope["query_string"].decode("latin-1"), version,
            headers, tuple(scope["client"] or ("", 0)),
        )
        request.scheme = scope["scheme"]
        response = Response(request)

        async def sending(message):
            if message["type"] == "http.response.start":
                response.status = str(message["status"])
                response.headers = [(name.decode("latin-1"), value.decode("latin-1"))
                                    for name, value in message.get("headers", ())]
            elif message["type"] == "http.response.body":
                response.sent += len(message.get("body", b""))
            await send(message)

        self.before(request)
        try:
            await self.application(scope, receive, sending)
        finally:
            environ = {
                "REQUEST_METHOD": request.method, "PATH_INFO": request.path, "QUERY_STRING": request.query,
                "REMOTE_ADDR": request.remote_addr[0],
                **{"HTTP_" + name.replace("-", "_"): value for name, value in headers},
            }
            self.after(request, environ, response)
