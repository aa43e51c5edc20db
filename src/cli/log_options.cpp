// SPDX-License-Identifier: MIT
#include "cli/log_options.hpp"

#include <unistd.h>

#include <string>

namespace unicoro::cli {
namespace {

log::syslog_options syslog_options(const settings::server_settings& values) {
    const std::string name = values.proc_name.value_or(settings::describe_applications(values));
    return {
        .address = values.syslog.syslog_addr,
        .facility = values.syslog.syslog_facility,
        .format = values.syslog.syslog_format,
        .program = "unicoro." + values.syslog.syslog_prefix.value_or(name),
        .access = !values.syslog.disable_redirect_access_to_syslog
    };
}

}  // namespace

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
    if (values.syslog.syslog) wanted.syslog = syslog_options(values);
    if (values.statsd.statsd_host) {
        wanted.statsd = log::statsd_options{
            .host = *values.statsd.statsd_host,
            .prefix = values.statsd.statsd_prefix,
            .tags = values.statsd.dogstatsd_tags
        };
    }
    wanted.owner = owner.uid;
    wanted.group = owner.gid;
    return wanted;
}

}  // namespace unicoro::cli
