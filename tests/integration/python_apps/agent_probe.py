# SPDX-License-Identifier: MIT
"""A Flask application under an agent: who is there when a request is answered."""

import os
import sys
import threading

from flask import Flask

app = Flask(__name__)


def spans():
    trace = sys.modules.get("opentelemetry.trace")
    return trace is not None and trace.get_current_span().is_recording()


def datadog():
    tracer = getattr(sys.modules.get("ddtrace"), "tracer", None)
    return tracer is not None and tracer.current_span() is not None


def newrelic():
    if "newrelic" not in sys.modules:
        return False
    from newrelic.agent import current_transaction

    return current_transaction() is not None


@app.get("/")
def index():
    return {
        "pid": os.getpid(), "opentelemetry": spans(), "ddtrace": datadog(), "newrelic": newrelic(),
        "debugpy": "debugpy" in sys.modules, "threads": [each.name for each in threading.enumerate()],
    }


@app.get("/covered/<int:number>")
def covered(number):
    answer = number * 2
    return {"answer": answer, "pid": os.getpid()}
