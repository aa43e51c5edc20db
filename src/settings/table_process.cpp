// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
namespace {

constexpr std::string_view no_control = "there is no control socket; the master is steered by its signals";
constexpr std::string_view of_dirty = "it belongs to dirty_apps, which are not available yet";
constexpr std::string_view no_dirty = "run long jobs in a job queue of their own";

setting dirty_number(
    std::string_view name, std::string_view flags, std::string_view initial, std::string_view help
) {
    return {
        .name = name,
        .flags = flags,
        .metavar = "N",
        .type = whole_number(0),
        .initial = initial,
        .help = help,
        .status = availability::meaningless,
        .remark = of_dirty
    };
}

}  // namespace

part process() {
    return {
        section::process,
        {
            {.name = "daemon",
             .flags = "-D,--daemon",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::daemon>(),
             .help = "Detach from the terminal and run in the background"},
            {.name = "pidfile",
             .flags = "-p,--pid",
             .metavar = "FILE",
             .type = text(),
             .kept = stored_in<&server_settings::pidfile>(),
             .help = "Write the process number of the master to this file and lock it"},
            {.name = "user",
             .flags = "-u,--user",
             .metavar = "USER",
             .type = account(),
             .kept = stored_in<&server_settings::user>(),
             .default_note = "the user of the start",
             .help = "Run the workers as this user (name or number)"},
            {.name = "group",
             .flags = "-g,--group",
             .metavar = "GROUP",
             .type = account(),
             .kept = stored_in<&server_settings::group>(),
             .default_note = "the group of the start",
             .help = "Run the workers in this group (name or number)"},
            {.name = "initgroups",
             .flags = "--initgroups",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::initgroups>(),
             .help = "Give the workers all groups of their user; otherwise they have only the one"},
            {.name = "umask",
             .flags = "-m,--umask",
             .metavar = "MODE",
             .type = file_mode(),
             .kept = stored_in<&server_settings::umask>(),
             .help = "The mask for the modes of unix sockets"},
            {.name = "proc_name",
             .flags = "-n,--name",
             .metavar = "NAME",
             .type = text(),
             .kept = stored_in<&server_settings::proc_name>(),
             .default_note = "the application",
             .help = "The name in the process list"},
            {.name = "tmp_upload_dir",
             .type = text(),
             .help = "A folder for uploads",
             .status = availability::meaningless,
             .remark = "gunicorn reads it nowhere either"},
        },
    };
}

part hooks() {
    return {
        section::hooks,
        {
            {.name = "hooks",
             .type = hook_map(),
             .kept = stored_in<&server_settings::hooks>(),
             .help = "Functions called when something happens to the server, as gunicorn calls them, "
                     "such as {\"post_fork\": \"hooks:post_fork\"}: MODULE:FUNCTION, or "
                     "/FILE.py:FUNCTION"},
        },
    };
}

part control() {
    return {
        section::control,
        {
            {.name = "control_socket",
             .flags = "--control-socket",
             .metavar = "PATH",
             .type = text(),
             .help = "A unix socket that takes orders",
             .status = availability::meaningless,
             .remark = no_control},
            {.name = "control_socket_mode",
             .flags = "--control-socket-mode",
             .metavar = "MODE",
             .type = file_mode(),
             .initial = "384",
             .help = "The file mode of the control socket (384 = 0600)",
             .status = availability::meaningless,
             .remark = no_control},
            {.name = "control_socket_disable",
             .flags = "--no-control-socket",
             .form = flag_form::switch_on,
             .type = boolean(),
             .initial = "false",
             .help = "Have no control socket",
             .status = availability::meaningless,
             .remark = "there is no control socket unless one is asked for"},
            {.name = "dirty_apps",
             .flags = "--dirty-app",
             .form = flag_form::repeated,
             .metavar = "CLASS",
             .type = text_list(commas::are_text, "classes"),
             .initial = "[]",
             .help = "A class run in helper processes; may be repeated",
             .status = availability::not_yet,
             .remark = no_dirty},
            dirty_number("dirty_workers", "--dirty-workers", "0", "Helper processes"),
            dirty_number("dirty_timeout", "--dirty-timeout", "300", "Seconds a helper's job may take"),
            dirty_number("dirty_threads", "--dirty-threads", "1", "Threads of a helper process"),
            dirty_number(
                "dirty_graceful_timeout",
                "--dirty-graceful-timeout",
                "30",
                "Seconds helpers have to finish when they stop"
            ),
        },
    };
}

}  // namespace unicoro::settings::tables
