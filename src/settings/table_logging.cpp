// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

constexpr std::string_view no_syslog =
    "log to stderr under systemd, or let a log shipper read the file";
constexpr std::string_view no_statsd = "derive the numbers from the access log";
constexpr std::string_view no_log_config =
    "use loglevel, errorlog, accesslog and access_log_format; configure Python's logging in the "
    "application";

setting not_yet_switch(
    std::string_view name, std::string_view flags, std::string_view help, std::string_view remedy
) {
    return {
        .name = name,
        .flags = flags,
        .form = flag_form::switch_on,
        .type = boolean(),
        .initial = "false",
        .help = help,
        .status = availability::not_yet,
        .remark = remedy};
}

setting not_yet_text(
    std::string_view name,
    std::string_view flags,
    std::string_view metavar,
    std::string_view initial,
    std::string_view help,
    std::string_view remedy
) {
    return {
        .name = name,
        .flags = flags,
        .metavar = metavar,
        .type = text(initial == "\"\"" ? presence::may_be_empty : presence::optional_value),
        .initial = initial,
        .help = help,
        .status = availability::not_yet,
        .remark = remedy};
}

std::vector<setting> python_logging() {
    return {
        not_yet_text(
            "logger_class",
            "--logger-class",
            "CLASS",
            R"("gunicorn.glogging.Logger")",
            "The Python class that writes the logs",
            no_log_config
        ),
        not_yet_text(
            "logconfig",
            "--log-config",
            "FILE",
            "null",
            "An ini file for Python's logging",
            no_log_config
        ),
        {.name = "logconfig_dict",
         .type = any_object(),
         .initial = "{}",
         .help = "A dictionary for Python's logging",
         .status = availability::not_yet,
         .remark = no_log_config},
        not_yet_text(
            "logconfig_json",
            "--log-config-json",
            "FILE",
            "null",
            "A JSON file with a dictionary for Python's logging",
            no_log_config
        ),
    };
}

std::vector<setting> syslog() {
    return {
        not_yet_switch("syslog", "--log-syslog", "Send the logs to syslog", no_syslog),
        not_yet_text(
            "syslog_addr",
            "--log-syslog-to",
            "ADDRESS",
            R"("udp://localhost:514")",
            "Where syslog listens",
            no_syslog
        ),
        not_yet_text(
            "syslog_prefix",
            "--log-syslog-prefix",
            "TEXT",
            "null",
            "The program name in syslog",
            no_syslog
        ),
        not_yet_text(
            "syslog_facility",
            "--log-syslog-facility",
            "NAME",
            R"("user")",
            "The facility in syslog",
            no_syslog
        ),
        not_yet_switch(
            "disable_redirect_access_to_syslog",
            "--disable-redirect-access-to-syslog",
            "Keep the access log out of syslog",
            no_syslog
        ),
    };
}

std::vector<setting> files() {
    return {
        {.name = "accesslog",
         .flags = "--access-logfile",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::accesslog>(),
         .help = "Write a line per request to this file; - = standard output"},
        {.name = "access_log_format",
         .flags = "--access-logformat",
         .metavar = "FORMAT",
         .type = text(presence::required),
         .kept = stored_in<&server_settings::access_log_format>(),
         .help = "The form of that line, in gunicorn's notation, or json for one JSON object "
                 "per line"},
        {.name = "errorlog",
         .flags = "--error-logfile,--log-file",
         .metavar = "FILE",
         .type = text(presence::required),
         .kept = stored_in<&server_settings::errorlog>(),
         .help = "Write the server's own messages to this file; - = standard error"},
        {.name = "loglevel",
         .flags = "--log-level",
         .metavar = "LEVEL",
         .type = choice({{"debug"}, {"info"}, {"warning"}, {"error"}, {"critical"}}),
         .kept = stored_in<&server_settings::loglevel>(),
         .help = "The least important messages to write"},
        {.name = "capture_output",
         .flags = "--capture-output",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::capture_output>(),
         .help = "Send what the application prints to the error log's file"},
        {.name = "enable_stdio_inheritance",
         .flags = "-R,--enable-stdio-inheritance",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::enable_stdio_inheritance>(),
         .help = "Keep standard output and error open in the background, unless they are a "
                 "terminal"},
    };
}

}  // namespace

part logging() {
    return join(section::logging, {files(), python_logging(), syslog()});
}

part metrics() {
    return {
        section::metrics,
        {
            not_yet_text(
                "statsd_host",
                "--statsd-host",
                "HOST:PORT",
                "null",
                "Send metrics to this StatsD server",
                no_statsd
            ),
            not_yet_text(
                "statsd_prefix",
                "--statsd-prefix",
                "TEXT",
                R"("")",
                "The prefix of metric names",
                no_statsd
            ),
            not_yet_text(
                "dogstatsd_tags",
                "--dogstatsd-tags",
                "TAGS",
                R"("")",
                "Tags for each metric",
                no_statsd
            ),
            not_yet_switch(
                "enable_backlog_metric",
                "--enable-backlog-metric",
                "Send the number of connections that wait",
                no_statsd
            ),
        },
    };
}

}  // namespace unicoro::settings::tables
