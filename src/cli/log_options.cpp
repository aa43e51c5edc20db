// SPDX-License-Identifier: MIT
#include "cli/log_options.hpp"

#include <unistd.h>

namespace unicoro::cli {

log::options log_options(const settings::server_settings& values, const os::privileges& owner) {
    log::options wanted;
    wanted.errorlog = values.errorlog;
    wanted.accesslog = values.accesslog;
    wanted.access_log_format = values.access_log_format;
    wanted.loglevel = values.loglevel;
    wanted.capture_output = values.capture_output;
    // Who started a daemon may wait for the end of a pipe that it holds.
    wanted.keeps_stdout = !values.daemon || (values.accesslog == "-" && values.enable_stdio_inheritance &&
                                             isatty(STDOUT_FILENO) == 0);
    wanted.owner = owner.uid;
    wanted.group = owner.gid;
    return wanted;
}

}  // namespace unicoro::cli
