# SPDX-License-Identifier: MIT
"""The same in Flask."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return "Hello, world!\n"
