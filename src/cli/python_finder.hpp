// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"
#include "settings/settings.hpp"

#include <string>
#include <vector>

namespace unicoro::cli {

/// Where an interpreter is looked for.
struct python_search {
    std::string setting;               ///< of the name `python`: a virtual environment or an executable
    std::string program;               ///< the path this server was executed by
    std::vector<std::string> folders;  ///< those the application may lie in
};

/// Where these settings say; in the folder of the application, which must be the current one.
[[nodiscard]] python_search search_of(const settings::server_settings& values);

/// The interpreter to become, not asked anything.
struct chosen_python {
    std::string path;
    std::vector<std::string> notes;  ///< environments that were passed over, and why
};

/// In this order: the setting; $VIRTUAL_ENV; the virtual environment that `program` lies in, under its own
/// path or one that it links to; `.venv` or `venv` in one of the folders; `python3` in $PATH. The failure
/// says what was looked at and the remedy.
[[nodiscard]] os::outcome<chosen_python> choose_python(const python_search& where);

}  // namespace unicoro::cli
