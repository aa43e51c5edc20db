# SPDX-License-Identifier: MIT
"""Addresses of this machine for servers and their clients."""

import socket

import pytest


def free_port(address: str = "127.0.0.1") -> int:
    """One that nobody listens on, for who cannot be told by a server which it has got."""
    with socket.create_server((address, 0)) as sock:
        return sock.getsockname()[1]


def other_address() -> str:
    """One of this machine's that is not loopback. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("the machine has no address but loopback")
        return sock.getsockname()[0]
