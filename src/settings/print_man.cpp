// SPDX-License-Identifier: MIT
#include "settings/commands.hpp"
#include "settings/print.hpp"
#include "settings/setting.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace unicoro::settings {
namespace {

constexpr std::size_t last_column = 78;

/// When the texts below were last looked through as a whole.
constexpr std::string_view date = "2026-11-30";

constexpr std::string_view introduction = R"(.SH NAME
unicoro \- application server for Python and native C++ applications
.SH SYNOPSIS
.B unicoro
.RI [ OPTION .\|.\|.]\&
.I APPLICATION
.br
.B python3 \-m unicoro
.RI [ OPTION .\|.\|.]\&
.I APPLICATION
.br
.B unicoro
.I COMMAND
.RI [ OPTION .\|.\|.]
.SH DESCRIPTION
.B unicoro
serves an application over HTTP/1.1 and WebSocket.
A master process opens the listening sockets, forks workers and keeps them
alive; each worker holds thousands of connections on one event loop.
Flags, settings and signals are those of
.BR gunicorn (1),
where it has the like.
.PP
.I APPLICATION
is a Python application, WSGI or ASGI, or a native one:
.TP
.IR MODULE ", " MODULE : NAME
the object
.I NAME
(else
.BR application )
of a Python module
.TP
.IR MODULE : FACTORY ( ARGUMENTS )
what this function of the module returns
.TP
.RI ./ LIBRARY .so: NAME
the object
.I NAME
of a shared library that was built with the headers of Unicoro
.PP
Which Python runs the application: the setting
.BR python ;
else the virtual environment that is active
.RB ( VIRTUAL_ENV );
else the one that contains
.BR unicoro ;
else
.I .venv
or
.I venv
next to the application; else
.B python3
in
.BR PATH .
.SH OPTIONS
Each setting has one name: the key in the JSON file.
Most have flags on the command line too.
If a setting is given more than once, the source that comes later in this list
wins:
.IP 1. 3
the default, which for some settings comes from the environment;
.IP 2. 3
the JSON file: the one that
.B \-c
names, else
.I ./unicoro.json
(or gunicorn's
.IR ./gunicorn.conf.py );
.IP 3. 3
the environment variable
.BR UNICORO_CMD_ARGS ,
written like a command line;
.IP 4. 3
the command line.
.PP
Mistakes are reported all at once, and nothing is started.
)";

constexpr std::string_view unavailable_introduction = R"(.SS Not available
These settings of gunicorn are known.
A value other than the default is refused, or only warned of where it has no
meaning here.
)";

constexpr std::string_view introduction_of_commands = R"(.SH COMMANDS
As the first word they look at a server that runs, or act on it;
an application of that name is served as
.IR NAME : application .
The server is the one that an option names, else the only one of this user's
that runs.
What is looked at comes from its
.BR admin_bind .
)";

constexpr std::string_view exit_codes_of_commands = R"(.PP
The exit status of a command:
.B 0
done, and for
.B status
ready;
.B 1
not ready, failed, or not in time;
.B 2
wrong call;
.B 3
no server reached.
)";

constexpr std::string_view rest = R"(.SH SIGNALS
Send them to the master.
.TP
.B TERM
Stop gracefully: no new connections; running requests have
.B graceful_timeout
to finish.
.TP
.BR INT ", " QUIT
Stop at once.
.TP
.B HUP
Read the settings again and replace the workers; the old ones leave once a new
one is ready.
If the settings are wrong, everything stays as it was.
.TP
.BR TTIN ", " TTOU
One worker more, one fewer (at least one stays).
.TP
.B USR1
Reopen the log files.
.TP
.B WINCH
With
.BR \-\-daemon :
stop all workers gracefully; the master stays.
.SH EXIT STATUS
.TP
.B 0
Stopped as told, or what the command line asked for was answered.
.TP
.B 1
A failure while starting or running: for instance, the address is in use.
.TP
.B 2
The settings or the command line are wrong.
.TP
.B 3
A worker could not boot: there is no interpreter, or a start hook failed.
.TP
.B 4
The application could not be loaded: it was not found, or importing it failed.
.SH ENVIRONMENT
.TP
.B UNICORO_CMD_ARGS
More of the command line.
.TP
.BR PORT ", " WEB_CONCURRENCY ", " FORWARDED_ALLOW_IPS ", " SENDFILE
Defaults of
.BR bind ", " workers ", " forwarded_allow_ips " and " sendfile .
.TP
.B UNICORO_ADMIN_TOKEN
The default of
.BR admin_token .
.TP
.B UNICORO_ADMIN_TOKEN
The
.B admin_token
that commands send, where
.B \-\-token\-file
is not given.
.TP
.B VIRTUAL_ENV
The active virtual environment, whose Python runs the application.
.TP
.BR LISTEN_FDS ", " LISTEN_PID
Sockets that
.BR systemd (1)
passes; then
.B bind
does not count.
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
Where
.BR systemd (1)
is told that the server is ready, reloads, stops and is alive.
.SH FILES
.TP
.I ./unicoro.json
The settings, if no other file is named.
.TP
.I ./gunicorn.conf.py
gunicorn's settings, read as they are if there is neither.
.TP
.I /etc/unicoro/unicoro.json
The settings of the service that
.BR systemd (1)
runs, where it is installed below
.IR /usr .
.SH EXAMPLES
A Flask application, with a greenlet for each request:
.PP
.RS
.EX
unicoro \-k async \-w auto \-b 0.0.0.0:8000 app:app
.EE
.RE
.PP
Check the settings and load the application, without serving:
.PP
.RS
.EX
unicoro \-c unicoro.json \-\-check\-config
.EE
.RE
.PP
Turn gunicorn's settings into a file of Unicoro's:
.PP
.RS
.EX
unicoro \-\-migrate gunicorn.conf.py > unicoro.json
.EE
.RE
.PP
Let bash complete the flags:
.PP
.RS
.EX
source <(unicoro \-\-print\-completion bash)
.EE
.RE
.SH SEE ALSO
.BR gunicorn (1),
.BR python3 (1),
.BR systemd.service (5),
.BR systemd.socket (5)
)";

/// One word of running text, so that what may be copied from the page is ASCII: a hyphen and a quote are not
/// made typographic, an apostrophe inside a word is.
std::string escaped(std::string_view word) {
    const auto is_letter = [&](std::size_t at) {
        return at < word.size() && static_cast<unsigned char>((word[at] | 0x20) - 'a') < 26;
    };
    std::string text;
    for (std::size_t i = 0; i < word.size(); ++i) {
        switch (word[i]) {
            case '\\': text += "\\e"; break;
            case '-': text += "\\-"; break;
            case '^': text += "\\(ha"; break;
            case '~': text += "\\(ti"; break;
            case '`': text += "\\(ga"; break;
            case '\'': text += is_letter(i - 1) && is_letter(i + 1) ? "'" : "\\(aq"; break;
            default: text += word[i];
        }
    }
    return text;
}

/// Running text in lines that no reader of the source finds too long, none of which looks like a macro.
void write_text(std::string_view text, std::string& page) {
    std::string line;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const std::string word = escaped(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.size() + 1 + word.size() > last_column) {
            page += line + '\n';
            line.clear();
        }
        if (line.empty() && (word.starts_with('.') || word.starts_with('\''))) line = "\\&";
        if (!line.empty() && line != "\\&") line += ' ';
        line += word;
    }
    if (!line.empty()) page += line + '\n';
}

std::string bold(std::string_view text) {
    return "\\fB" + escaped(text) + "\\fR";
}

std::string heading(const setting& row) {
    const bool with_value = row.form == flag_form::value || row.form == flag_form::repeated;
    std::string text;
    for (const auto flag : flags_of(row)) {
        if (!text.empty()) text += ", ";
        text += bold(flag);
    }
    if (text.empty()) return bold(row.name) + " (only in the file)";
    if (with_value) text += " \\fI" + escaped(row.metavar) + "\\fR";
    return text;
}

std::string default_text(const setting& row) {
    if (!row.default_note.empty()) return std::string(row.default_note);
    json value;
    default_value(row, value);
    if (value.is_null() || value == "") return "none";
    if (!value.is_array() || value.empty()) return value.dump();
    // With blanks, at which lines are broken.
    std::string text;
    for (const json& each : value) text += (text.empty() ? "[" : ", ") + each.dump();
    return text + "]";
}

void write_setting(const setting& row, std::string& page) {
    page += ".TP\n" + heading(row) + "\n";
    write_text(help_of_flag(row) + ".", page);
    if (row.scope == scope::command_line) return;
    std::string key{row.name};
    if (!row.other_name.empty()) key += " (or " + std::string(row.other_name) + ")";
    page += ".br\n";
    write_text("In the file: " + key + ", " + row.type->rule() + ".", page);
    page += ".br\n";
    write_text("Default: " + default_text(row) + ".", page);
}

void write_unavailable(const setting& row, std::string& page) {
    page += ".TP\n" + heading(row) + "\n";
    write_text(std::string(row.help) + ": " + std::string(row.remark) + ".", page);
}

void write_commands(std::string& page) {
    page += introduction_of_commands;
    for (const command& each : commands()) {
        page += ".TP\n" + bold(each.name);
        if (!each.argument.empty()) page += " \\fI" + escaped(each.argument) + "\\fR";
        page += "\n";
        write_text(std::string(each.help) + ".", page);
    }
    for (const command_flag& each : command_flags()) {
        const auto comma = each.flags.find(',');
        page += ".TP\n" + bold(each.flags.substr(0, comma));
        if (comma != each.flags.npos) page += ", " + bold(each.flags.substr(comma + 1));
        if (!each.metavar.empty()) page += " \\fI" + escaped(each.metavar) + "\\fR";
        if (!each.of.empty()) page += " (" + std::string(each.of) + ")";
        page += "\n";
        write_text(std::string(each.help) + ".", page);
    }
    page += exit_codes_of_commands;
}

}  // namespace

std::string print_man(std::string_view version) {
    std::string page =
        ".TH UNICORO 1 \"" + std::string(date) + "\" \"unicoro " + std::string(version) + "\"\n";
    page += introduction;
    std::optional<section> current;
    for (const setting& row : all_settings()) {
        if (row.status != availability::now) continue;
        if (current != row.section) {
            current = row.section;
            page += ".SS " + std::string(title(row.section)) + "\n";
        }
        write_setting(row, page);
    }
    page += unavailable_introduction;
    for (const setting& row : all_settings()) {
        if (row.status != availability::now) write_unavailable(row, page);
    }
    write_commands(page);
    return page + std::string(rest);
}

}  // namespace unicoro::settings
