// SPDX-License-Identifier: MIT
#pragma once

// The one way this floor includes Python.h: lengths are Py_ssize_t everywhere.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
