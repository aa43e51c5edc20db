// SPDX-License-Identifier: MIT
// The interpreter as the server hosts it, from libpython: Debian's python3 has a copy of its own inside,
// which is faster.

#include <Python.h>

int main(int argc, char** argv) {
    return Py_BytesMain(argc, argv);
}
