// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

namespace unicoro::settings::tables {
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
             .help = "Write the master's process id to this file and lock it"},
            {.name = "user",
             .flags = "-u,--user",
             .metavar = "USER",
             .type = account(),
             .kept = stored_in<&server_settings::user>(),
             .default_note = "the user who started the server",
             .help = "Run the workers as this user (name or number)"},
            {.name = "group",
             .flags = "-g,--group",
             .metavar = "GROUP",
             .type = account(),
             .kept = stored_in<&server_settings::group>(),
             .default_note = "the group that started the server",
             .help = "Run the workers in this group (name or number)"},
            {.name = "initgroups",
             .flags = "--initgroups",
             .form = flag_form::switch_on,
             .type = boolean(),
             .kept = stored_in<&server_settings::initgroups>(),
             .help = "Give the workers all groups of their user; otherwise they have only one"},
            {.name = "umask",
             .flags = "-m,--umask",
             .metavar = "MODE",
             .type = file_mode(),
             .kept = stored_in<&server_settings::umask>(),
             .help = "The mask for the file modes of unix sockets"},
            {.name = "proc_name",
             .flags = "-n,--name",
             .metavar = "NAME",
             .type = text(),
             .kept = stored_in<&server_settings::proc_name>(),
             .default_note = "the application",
             .help = "The name in the process list"},
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
                     "/FILE.py:FUNCTION",
             .variable = variable_kind::something_else},
        },
    };
}

}  // namespace unicoro::settings::tables
