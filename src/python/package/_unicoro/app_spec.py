# SPDX-License-Identifier: MIT
"""What stands behind the colon of `module:attribute` and `module:factory(arguments)`."""

import ast

from . import AppNotFound


def parse(expression):
    """The path of attributes, and the factory's arguments (a list and a dictionary), or None without a call."""
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        node = None
    arguments = None
    if isinstance(node, ast.Call):
        if any(each.arg is None for each in node.keywords):
            raise AppNotFound(f"{expression!r}: the arguments of a factory must be literal values")
        try:
            arguments = (
                [ast.literal_eval(each) for each in node.args],
                {each.arg: ast.literal_eval(each.value) for each in node.keywords},
            )
        except ValueError:
            raise AppNotFound(
                f"{expression!r}: the arguments of a factory must be literal values"
            ) from None
        node = node.func
    path = []
    while isinstance(node, ast.Attribute):
        path.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise AppNotFound(
            f"{expression!r} is neither an attribute name nor a factory call; "
            "write module:attribute or module:factory()"
        )
    return [node.id, *path], arguments
