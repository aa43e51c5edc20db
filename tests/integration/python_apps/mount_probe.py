# SPDX-License-Identifier: MIT
"""Applications that say where they are mounted."""

import json


def make(name):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        found = {"app": name, **{key: environ[key] for key in ("SCRIPT_NAME", "PATH_INFO")}}
        return [json.dumps(found).encode()]

    return application


root, api, api_v2 = make("root"), make("api"), make("api_v2")


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['root_path']} {scope['path']}".encode()})


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]
