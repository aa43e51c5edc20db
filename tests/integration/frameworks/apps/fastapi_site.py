# SPDX-License-Identifier: MIT
"""A FastAPI application with one of each thing that such applications do."""

import asyncio
import contextlib
import contextvars
import hashlib
import time
from typing import Annotated

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI, File, Form, HTTPException, Request, UploadFile, WebSocket
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.websockets import WebSocketDisconnect

UPSTREAM = None
state = contextvars.ContextVar("state", default=None)
noted = []


@contextlib.asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield {"http": client, "answer": 42}
    print("lifespan is over", flush=True)


app = FastAPI(lifespan=lifespan)
app.add_middleware(GZipMiddleware, minimum_size=2000)
app.add_middleware(CORSMiddleware, allow_origins=["https://example.org"])
# itsdangerous comes with Flask.
app.add_middleware(SessionMiddleware, secret_key="only for tests")


class Item(BaseModel):
    name: str
    price: float


@app.get("/")
async def index():
    return {"hello": "FastAPI"}


@app.post("/items")
async def item(item: Item):
    return {"name": item.name, "with_tax": item.price * 2}


@app.get("/state")
async def from_lifespan(request: Request):
    return {"answer": request.state.answer}


@app.get("/blocking/{seconds}")
def blocking(seconds: float):
    """In a thread of anyio's pool."""
    time.sleep(seconds)
    return "slept"


@app.get("/sleep/{seconds}")
async def sleeping(seconds: float):
    await asyncio.sleep(seconds)
    return "slept"


@app.get("/context/{value}")
async def context(value: str):
    found = state.get()
    state.set(value)
    await asyncio.sleep(0.01)
    return {"found": found, "kept": state.get() == value}


@app.post("/upload")
async def upload(file: Annotated[UploadFile, File()], title: Annotated[str, Form()]):
    content = await file.read()
    return {"title": title, "name": file.filename, "sha256": hashlib.sha256(content).hexdigest()}


@app.post("/count")
async def count(request: Request):
    sha, size = hashlib.sha256(), 0
    async for piece in request.stream():
        sha.update(piece)
        size += len(piece)
    return {"sha256": sha.hexdigest(), "size": size}


@app.get("/stream")
async def stream(lines: int = 10):
    async def rows():
        for number in range(lines):
            yield f"row {number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(rows(), media_type="text/plain")


@app.get("/endless/{who}")
async def endless(who: str):
    async def rows():
        try:
            while True:
                yield b"x" * 65536
        finally:
            noted.append(f"left {who}")

    return StreamingResponse(rows())


@app.get("/file")
async def file(path: str):
    return FileResponse(path)


@app.get("/background/{word}")
async def background(word: str, tasks: BackgroundTasks):
    async def later():
        await asyncio.sleep(0.02)
        noted.append(word)

    tasks.add_task(later)
    tasks.add_task(noted.append, f"{word} from a thread")
    return {"noted": list(noted)}


@app.get("/noted")
async def what_is_noted():
    return noted


async def connection():
    try:
        yield "a connection"
    finally:
        noted.append("closed")


@app.get("/depends")
async def depends(what: Annotated[str, Depends(connection)]):
    return what


@app.get("/session")
async def session(request: Request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return request.session["visits"]


@app.get("/large")
async def large():
    return {"text": "x" * 100_000}


@app.get("/boom")
async def boom():
    raise ValueError("on purpose")


@app.get("/teapot")
async def teapot():
    raise HTTPException(status_code=418, detail="short and stout", headers={"X-Tea": "yes"})


@app.get("/meet")
async def meet(request: Request, upstream: str, name: str, party: int):
    answer = await request.state.http.get(f"{upstream}/meet", params={"name": name, "party": party})
    return answer.text


@app.websocket("/ws/{room}")
async def chat(socket: WebSocket, room: str, greeting: str = "hello"):
    await socket.accept(subprotocol="chat" if "chat" in socket.scope["subprotocols"] else None)
    await socket.send_text(f"{greeting} {room}")
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                noted.append(f"{room} closed {message['code']}")
                return
            if message.get("text") == "close":
                await socket.close(4001, "asked for")
                return
            if message.get("text") is not None:
                await socket.send_json({"echo": message["text"]})
            else:
                await socket.send_bytes(message["bytes"][::-1])
    except WebSocketDisconnect:
        noted.append(f"{room} is gone")


@app.websocket("/refused")
async def refused(socket: WebSocket):
    await socket.close()
