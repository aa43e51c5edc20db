# SPDX-License-Identifier: MIT
"""The hello of Flask with as much code around it as a fair number of libraries bring."""

import importlib

import hello_flask

app = hello_flask.app

for name in (
    "asyncio", "concurrent.futures", "csv", "ctypes", "dataclasses", "decimal", "difflib", "email.mime.multipart",
    "ftplib", "html.parser", "http.client", "http.cookiejar", "imaplib", "ipaddress", "logging.config",
    "logging.handlers", "mailbox", "multiprocessing.managers", "optparse", "pdb", "pickletools", "plistlib", "pydoc",
    "smtplib", "sqlite3", "ssl", "statistics", "tarfile", "unittest.mock", "urllib.request", "uuid",
    "wsgiref.simple_server", "xml.dom.minidom", "xml.etree.ElementTree", "xmlrpc.server", "zipfile", "zoneinfo",
):
    importlib.import_module(name)

# What an application makes of its settings, templates and tables.
TABLES = {f"key {number}": {"number": number, "text": f"text {number}" * 4} for number in range(60_000)}
