# SPDX-License-Identifier: MIT
"""Drives the real binary: start it, talk to it, watch its processes, and see that it left nothing."""
