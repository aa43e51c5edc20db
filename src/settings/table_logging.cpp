// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <nlohmann/json.hpp>

namespace unicoro::settings::tables {
namespace {

/// The object of the file, or the name of one, as text.
constexpr member dictionary{
    [](server_settings& settings, const json& value, const origin&) {
        settings.logconfig_dict = value.dump();
    },
    [](const server_settings& settings, json& value) { value = json::parse(settings.logconfig_dict); },
};

std::vector<setting> python_logging() {
    return {
        {.name = "logger_class",
         .flags = "--logger-class",
         .metavar = "CLASS",
         .type = logger_class_name(default_logger_class),
         .kept = stored_in<&server_settings::logger_class>(),
         .help =
             "A Python class derived from gunicorn.glogging.Logger: access lines go through it, and so does "
             "what Python code logs to gunicorn.error; the server writes its own messages as they are"},
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
         .help = "The same as a dictionary, which takes precedence over both files"},
        {.name = "logconfig_json",
         .flags = "--log-config-json",
         .metavar = "FILE",
         .type = text(),
         .kept = stored_in<&server_settings::logconfig_json>(),
         .help = "The same as a JSON file, which takes precedence over logconfig"},
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
         .help = "The format of that line, in gunicorn's notation, or json for one JSON object per line"},
        {.name = "errorlog",
         .flags = "--error-logfile,--log-file",
         .metavar = "FILE",
         .type = text(presence::required),
         .kept = stored_in<&server_settings::errorlog>(),
         .help = "Write the server's own messages to this file; - = standard error"},
        {.name = "loglevel",
         .flags = "--log-level",
         .metavar = "LEVEL",
         .type = choice_of<log_level>(
             {{.written = "warn", .canonical = "warning", .offered = false},
              {.written = "fatal", .canonical = "critical", .offered = false}}
         ),
         .kept = stored_in<&server_settings::loglevel>(),
         .help = "The lowest level of messages to write"},
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
         .help = "Keep standard output and standard error open in the background, unless they are a terminal"
        },
    };
}

std::vector<setting> to_syslog() {
    return {
        {.name = "syslog",
         .flags = "--log-syslog",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::syslog>(),
         .help = "Send both logs to syslog, too; the access log also where accesslog is not given"},
        {.name = "syslog_addr",
         .flags = "--log-syslog-to",
         .metavar = "ADDRESS",
         .type = syslog_address(),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::syslog_addr>(),
         .help = "Where syslog listens: udp://HOST:PORT, tcp://HOST:PORT, unix:///dev/log (#dgram or #stream "
                 "at its end says which), or journald for systemd's journal"},
        {.name = "syslog_prefix",
         .flags = "--log-syslog-prefix",
         .metavar = "TEXT",
         .type = text(),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::syslog_prefix>(),
         .help = "The program is called unicoro.TEXT.error and unicoro.TEXT.access in syslog; not given = "
                 "proc_name, else the application"},
        {.name = "syslog_facility",
         .flags = "--log-syslog-facility",
         .metavar = "NAME",
         .type =
             choice_of<log::syslog_facility>({{.written = "security", .canonical = "auth", .offered = false}}
             ),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::syslog_facility>(),
         .help = "The facility in syslog"},
        {.name = "syslog_format",
         .flags = "--log-syslog-format",
         .metavar = "FORM",
         .type = choice_of<log::syslog_format>(),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::syslog_format>(),
         .help = "The form of messages: rfc3164, or rfc5424 with microseconds; the journal has its own",
         .variable = variable_kind::ours},
        {.name = "disable_redirect_access_to_syslog",
         .flags = "--disable-redirect-access-to-syslog",
         .form = flag_form::switch_on,
         .type = boolean(),
         .kept = stored_in<&server_settings::syslog, &syslog_settings::disable_redirect_access_to_syslog>(),
         .help = "Keep the access log out of syslog"},
    };
}

}  // namespace

part logging() {
    return join(section::logging, {files(), to_syslog(), python_logging()});
}

}  // namespace unicoro::settings::tables
