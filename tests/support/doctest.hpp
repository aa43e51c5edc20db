// SPDX-License-Identifier: MIT
#pragma once

// Debian and newer wraps install <doctest/doctest.h>; wraps of 2.4.x put only the inner folder on the path.
#if __has_include(<doctest/doctest.h>)
#include <doctest/doctest.h>
#else
#include <doctest.h>
#endif
