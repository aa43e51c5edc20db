// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <nlohmann/json.hpp>

namespace unicoro::settings::tables {
namespace {

constexpr std::string_view no_syslog = "log to stderr under systemd, or let a log shipper read the file";
constexpr std::string_view of_syslog = "it belongs to syslog, which is not available yet";
constexpr std::string_view no_statsd = "derive the numbers from the access log";
constexpr std::string_view of_statsd = "it belongs to statsd_host, which is not available yet";

/// The object of the file, or the name of one, as text.
constexpr member dictionary{
    [](server_settings& settings, const json& value) { settings.logconfig_dict = value.dump(); },
    [](const server_settings& settings, json& value) { value = json::parse(settings.logconfig_dict); },
};

/// A setting that is not available yet, or one that only belongs to such a one.
setting missing_switch(
    std::string_view name,
    std::string_view flags,
    std::string_view help,
    availability status,
    std::string_view remark
) {
    return {
        .name = name,
        .flags = flags,
        .form = flag_form::switch_on,
        .type = boolean(),
        .initial = "false",
        .help = help,
        .status = status,
        .remark = remark
    };
}

setting missing_text(
    std::string_view name,
    std::string_view flags,
    std::string_view metavar,
    std::string_view initial,
    std::string_view help,
    availability status,
    std::string_view remark
) {
    return {
        .name = name,
        .flags = flags,
        .metavar = metavar,
        .type = text(initial == "\"\"" ? presence::may_be_empty : presence::optional_value),
        .initial = initial,
        .help = help,
        .status = status,
        .remark = remark
    };
}

std::vector<setting> python_logging() {
    return {
        {.name = "logger_class",
         .flags = "--logger-class",
         .metavar = "CLASS",
         .type = text(presence::required),
         .kept = stored_in<&server_settings::logger_class>(),
         .help = "A Python class derived from gunicorn.glogging.Logger: access lines go through it, and what "
                 "Python code logs as gunicorn.error; the server writes its own messages as they are"},
        {.name = "logconfig",
         .flags = "--log-config",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::logconfig>(),
         .help = "An ini file for Python's logging, applied before the application is imported; access lines "
                 "then go to the logger gunicorn.access"},
        {.name = "logconfig_dict",
         .type = named_object(),
         .kept = dictionary,
         .help = "The same as a dictionary, which wins over both files"},
        {.name = "logconfig_json",
         .flags = "--log-config-json",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::logconfig_json>(),
         .help = "The same as a JSON file, which wins over logconfig"},
    };
}

std::vector<setting> syslog() {
    using enum availability;
    return {
        missing_switch("syslog", "--log-syslog", "Send the logs to syslog", not_yet, no_syslog),
        missing_text(
            "syslog_addr",
            "--log-syslog-to",
            "ADDRESS",
            R"("udp://localhost:514")",
            "Where syslog listens",
            meaningless,
            of_syslog
        ),
        missing_text(
            "syslog_prefix",
            "--log-syslog-prefix",
            "TEXT",
            "null",
            "The program name in syslog",
            meaningless,
            of_syslog
        ),
        missing_text(
            "syslog_facility",
            "--log-syslog-facility",
            "NAME",
            R"("user")",
            "The facility in syslog",
            meaningless,
            of_syslog
        ),
        missing_switch(
            "disable_redirect_access_to_syslog",
            "--disable-redirect-access-to-syslog",
            "Keep the access log out of syslog",
            meaningless,
            of_syslog
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
         .type = choice(
             {{"debug"},
              {"info"},
              {"warning"},
              {"error"},
              {"critical"},
              {.written = "warn", .canonical = "warning", .offered = false},
              {.written = "fatal", .canonical = "critical", .offered = false}}
         ),
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
    using enum availability;
    return {
        section::metrics,
        {
            missing_text(
                "statsd_host",
                "--statsd-host",
                "HOST:PORT",
                "null",
                "Send metrics to this StatsD server",
                not_yet,
                no_statsd
            ),
            missing_text(
                "statsd_prefix",
                "--statsd-prefix",
                "TEXT",
                R"("")",
                "The prefix of metric names",
                meaningless,
                of_statsd
            ),
            missing_text(
                "dogstatsd_tags",
                "--dogstatsd-tags",
                "TAGS",
                R"("")",
                "Tags for each metric",
                meaningless,
                of_statsd
            ),
            missing_switch(
                "enable_backlog_metric",
                "--enable-backlog-metric",
                "Send the number of connections that wait",
                meaningless,
                of_statsd
            ),
        },
    };
}

}  // namespace unicoro::settings::tables
