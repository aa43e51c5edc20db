// SPDX-License-Identifier: MIT
#pragma once

#include "app/master_guest.hpp"
#include "os/failure.hpp"
#include "settings/settings.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace unicoro::app {

/// A Python interpreter as it describes itself. The executable knows no more of Python than this.
struct python_runtime {
    std::string executable;  ///< sys.executable, the venv's own when it is one
    std::string version;     ///< "3.11", with "t" or "d" when the ABI has it
    std::string library;     ///< path or soname of its shared libpython
    std::string release;     ///< "3.11.2"
};

/// Where an interpreter is looked for.
struct python_search {
    std::string setting;               ///< of the name `python`: a virtual environment or an executable
    std::string program;               ///< the path this server was executed by
    std::vector<std::string> folders;  ///< those the application may lie in
};

/// Where these settings say; in the folder of the application, which must be the current one.
[[nodiscard]] python_search search_of(const settings::server_settings& values);

/// The interpreter to host, not yet asked anything.
struct chosen_python {
    std::string path;
    std::vector<std::string> notes;  ///< environments that were passed over, and why
};

/// In this order: the setting; $VIRTUAL_ENV; the virtual environment that `program` lies in, under its own
/// path or one that it links to; `.venv` or `venv` in one of the folders; `python3` in $PATH. The failure
/// says what was looked at and the remedy.
[[nodiscard]] os::outcome<chosen_python> choose_python(const python_search& where);

/// Runs the interpreter once to learn what it is. Refuses what cannot be hosted: no CPython, older
/// than 3.10, without a shared libpython.
[[nodiscard]] os::outcome<python_runtime> probe_python(const std::string& interpreter);

/// The start-up line about it.
[[nodiscard]] std::string describe(const python_runtime& runtime);

/// Asks the interpreter of these settings now, so that workers forked later need not, and gives the answer.
/// A failure is left for them to tell.
std::optional<python_runtime> remember_python(const settings::server_settings& values);

/// Where plugins are looked for, best first: $UNICORO_PLUGIN_DIR, beside the running executable
/// (build tree), the folder of the installation.
[[nodiscard]] std::vector<std::string> plugin_folders();

/// The file of the plugin for this version. The failure lists the versions there are plugins for.
[[nodiscard]] os::outcome<std::string> find_python_plugin(
    const python_runtime& runtime, const std::vector<std::string>& folders
);

/// Finds interpreter and plugin, loads libpython for all to see and the plugin for itself, and
/// makes its host. On failure fills `error` and returns nothing. Nothing is ever unloaded.
[[nodiscard]] std::unique_ptr<host> make_python_host(
    const settings::server_settings& values, load_error& error
);

/// The same for what lives in the master.
[[nodiscard]] std::unique_ptr<master_guest> make_python_guest(
    const settings::server_settings& values, load_error& error
);

}  // namespace unicoro::app
