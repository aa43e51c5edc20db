// SPDX-License-Identifier: MIT
#include "cli/log_options.hpp"

#include <unistd.h>

namespace unicoro::cli {
namespace {

log::level level_of(settings::log_level level) noexcept {
    switch (level) {
        case settings::log_level::debug: return log::level::debug;
        case settings::log_level::info: return log::level::info;
        case settings::log_level::warning: return log::level::warning;
        case settings::log_level::error: return log::level::error;
        case settings::log_level::critical: return log::level::critical;
    }
    return log::level::info;
}

}  // namespace

log::options log_options(const settings::server_settings& values, const os::privileges& owner) {
    log::options wanted;
    wanted.errorlog = values.errorlog;
    wanted.accesslog = values.accesslog;
    wanted.access_log_format = values.access_log_format;
    wanted.loglevel = level_of(values.loglevel);
    wanted.capture_output = values.capture_output;
    // Who started a daemon may wait for the end of a pipe that it holds.
    wanted.keeps_stdout = !values.daemon || (values.accesslog == "-" && values.enable_stdio_inheritance &&
                                             isatty(STDOUT_FILENO) == 0);
    wanted.owner = owner.uid;
    wanted.group = owner.gid;
    return wanted;
}

}  // namespace unicoro::cli
