// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace unicoro::settings::tables {
namespace {

/// The object of the file as pairs in the order in which prefixes are tried.
constexpr member mounts{
    [](server_settings& settings, const json& value, const origin&) {
        settings.apps.clear();
        for (const auto& [prefix, spec] : value.items()) {
            settings.apps.emplace_back(prefix, spec.get<std::string>());
        }
        std::stable_sort(settings.apps.begin(), settings.apps.end(), [](const auto& one, const auto& other) {
            return one.first.size() > other.first.size();
        });
    },
    [](const server_settings& settings, json& value) {
        value = json::object();
        for (const auto& [prefix, spec] : settings.apps) value[prefix] = spec;
    },
};

std::vector<setting> what_is_served() {
    return {
        {.name = "app",
         .other_name = "wsgi_app",
         .type = text(presence::may_be_empty),
         .kept = stored_in<&server_settings::app>(),
         .help = "The application: MODULE, MODULE:NAME, MODULE:FACTORY(ARGUMENTS) or "
                 "./LIBRARY.so:NAME; "
                 "on the command line it is the argument without a flag and wins over this key",
         .variable = variable_kind::something_else},
        {.name = "apps",
         .type = app_map(),
         .kept = mounts,
         .help = "Several applications by path prefix, such as {\"/\": \"app:app\", \"/api\": "
                 "\"api:asgi\"}: the longest prefix counts, the rest of the path is the "
                 "application's; app stands for \"/\" where that is missing",
         .variable = variable_kind::ours},
        {.name = "interface",
         .flags = "--interface",
         .metavar = "KIND",
         .type = choice_of<app_interface>(),
         .kept = stored_in<&server_settings::interface>(),
         .help = "How the application is called; auto detects it",
         .variable = variable_kind::ours},
        {.name = "python",
         .flags = "--python",
         .metavar = "PATH",
         .type = text(presence::may_be_empty),
         .kept = stored_in<&server_settings::python>(),
         .default_note = "the active virtual environment, else the one that contains unicoro, else .venv or "
                         "venv next to the application, else python3 in PATH",
         .help = "The Python interpreter, or the folder of the virtual environment, for the "
                 "application",
         .variable = variable_kind::ours},
        {.name = "pythonpath",
         .flags = "--pythonpath",
         .metavar = "DIRS",
         .type = text_list(commas::separate, "folders"),
         .kept = stored_in<&server_settings::pythonpath>(),
         .help = "Folders to put in front of Python's module search path, separated by commas"},
        {.name = "chdir",
         .flags = "--chdir",
         .metavar = "DIR",
         .type = text(),
         .kept = stored_in<&server_settings::chdir>(),
         .default_note = "the folder where the server was started",
         .help = "Change to this folder before the application is loaded; relative paths start "
                 "from it"},
        {.name = "raw_env",
         .flags = "-e,--env",
         .form = flag_form::repeated,
         .metavar = "NAME=VALUE",
         .type = environment_list(),
         .kept = stored_in<&server_settings::raw_env>(),
         .help = "Set an environment variable for the application; may be repeated"},
    };
}

setting settings_file() {
    return {
        .name = "config",
        .flags = "-c,--config",
        .metavar = "FILE",
        .type = text(presence::required),
        .default_note = "./unicoro.json, else ./gunicorn.conf.py, if there is one",
        .help =
            "The JSON file with settings, or gunicorn's: FILE.py, python:MODULE; read before "
            "--chdir, and again on SIGHUP",
        .scope = scope::command_line,
    };
}

setting completed_shell() {
    return {
        .name = "print_completion",
        .flags = "--print-completion",
        .metavar = "SHELL",
        .type = choice({{"bash"}, {"zsh"}, {"fish"}}),
        .help = "Print the completion of these flags for bash, zsh or fish and exit",
        .scope = scope::command_line,
        .asks_for = action::print_completion,
    };
}

setting migrated_file() {
    return {
        .name = "migrate",
        .flags = "--migrate",
        .metavar = "FILE",
        .type = text(presence::required),
        .help =
            "Convert gunicorn's FILE.py (or python:MODULE) to a settings file, print it, name what is left "
            "out, and exit",
        .scope = scope::command_line,
        .asks_for = action::migrate,
    };
}

}  // namespace

part application() {
    return {section::application, what_is_served()};
}

part configuration() {
    const auto question =
        [](std::string_view name, std::string_view flags, action asked, std::string_view help) {
            return setting{
                .name = name,
                .flags = flags,
                .form = flag_form::switch_on,
                .type = boolean(),
                .initial = "false",
                .help = help,
                .scope = scope::command_line,
                .asks_for = asked
            };
        };
    return {
        section::configuration,
        {
            settings_file(),
            migrated_file(),
            question(
                "check_config",
                "--check-config",
                action::check_config,
                "Check the settings, load the application, and exit"
            ),
            question(
                "print_config",
                "--print-config",
                action::print_config,
                "Print every setting with its value, then do as --check-config"
            ),
            question(
                "print_schema",
                "--print-schema",
                action::print_schema,
                "Print the JSON Schema of the settings file and exit"
            ),
            question(
                "print_settings_doc",
                "--print-settings-doc",
                action::print_settings_doc,
                "Print the settings as a Markdown page and exit"
            ),
            question(
                "print_man", "--print-man", action::print_man, "Print the manual page unicoro(1) and exit"
            ),
            completed_shell(),
            question("version", "-v,--version", action::version, "Print the version and exit"),
            question("help", "-h,--help", action::help, "Print this help and exit"),
        },
    };
}

part asgi() {
    return {
        section::asgi,
        {
            {.name = "asgi_lifespan",
             .other_name = "lifespan",
             .flags = "--asgi-lifespan,--lifespan",
             .metavar = "MODE",
             .type = choice_of<lifespan_mode>(),
             .kept = stored_in<&server_settings::lifespan>(),
             .help = "Whether an ASGI application is told of its start and stop: on = it must understand "
                     "that, auto = if it does",
             .other_variable = variable_kind::ours},
            {.name = "asgi_disconnect_grace_period",
             .flags = "--asgi-disconnect-grace-period",
             .metavar = "SECONDS",
             .type = seconds(),
             .kept = stored_in<&server_settings::asgi_disconnect_grace_period>(),
             .help = "How long the task of an ASGI request may go on once its client has left; then it is "
                     "cancelled"},
            {.name = "root_path",
             .flags = "--root-path",
             .metavar = "PREFIX",
             .type = text(presence::may_be_empty),
             .kept = stored_in<&server_settings::root_path>(),
             .help = "The path under which a proxy serves an ASGI application"},
        },
    };
}

}  // namespace unicoro::settings::tables
