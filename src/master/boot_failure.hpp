// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace unicoro::master {

/// Exit codes of a worker that cannot boot; the master ends with the same, as gunicorn.
enum class boot_failure : int { worker = 3, application = 4 };

/// Why an application could not be loaded or started. `message` may have many lines (a traceback).
struct load_error {
    boot_failure code = boot_failure::application;
    std::string message;
};

}  // namespace unicoro::master
