// SPDX-License-Identifier: MIT
#pragma once

#include "app/python_process.hpp"
#include "cli/python_answers.hpp"
#include "settings/load.hpp"

namespace unicoro::cli {

/// Whether this process is a Python that can serve these settings: any, unless they name one.
[[nodiscard]] bool is_wanted_python(
    const app::python_process* python,
    const settings::load_request& request,
    const settings::server_settings& values
);

/// Finds the interpreter for these settings and executes it in the place of this process, with the same
/// command line, folder and environment; there `_unicoro.main` takes over from `run`. Comes back with the
/// exit code, and the reason on standard error, only when that fails. Nothing may be open yet.
[[nodiscard]] int become_python(
    const settings::load_request& request,
    const settings::server_settings& values,
    const python_answers& answers
);

}  // namespace unicoro::cli
