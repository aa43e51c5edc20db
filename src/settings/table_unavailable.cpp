// SPDX-License-Identifier: MIT
#include "settings/tables.hpp"

#include <array>

namespace unicoro::settings::tables {
namespace {

using enum availability;

/// A setting of gunicorn's that says no more than that, and what to do instead.
struct unavailable_setting {
    settings::section section;
    std::string_view name;
    /// As a usage line has it: "--flag VALUE", "VALUE..." = repeated, "[VALUE]" = may be left out, no value =
    /// a switch.
    std::string_view usage;
    value_type_ptr (*type)();
    std::string_view initial;
    availability status;
    std::string_view help;
    std::string_view remark;
};

constexpr std::string_view of_python_tls = "it concerns Python's TLS sockets, which are not used";
constexpr std::string_view no_control = "there is no control socket; the master is controlled by signals";
constexpr std::string_view no_dirty = "run long jobs in a separate job queue";
constexpr std::string_view of_dirty = "it belongs to dirty_apps, which are not available yet";

value_type_ptr note() {
    return text();
}
value_type_ptr any_number() {
    return whole_number(0);
}

using enum section;
// clang-format off: a table, two lines to a setting.
constexpr auto table = std::to_array<unavailable_setting>({
    {application, "paste", "--paste,--paster FILE", note, "null", not_yet,
     "Load the application from a PasteDeploy file",
     "write a module with application = paste.deploy.loadapp('config:/path/to.ini')"},
    {application, "raw_paste_global_conf", "--paste-global NAME=VALUE...", environment_list, "[]",
     meaningless,
     "A global variable for the PasteDeploy file; may be repeated",
     "it belongs to paste, which is not available yet"},
    {application, "default_proc_name", "", note, "null", meaningless,
     "The process name if proc_name is not given",
     "the name follows from the application; set proc_name to change it"},

    {workers, "worker_tmp_dir", "--worker-tmp-dir DIR", note, "null", meaningless,
     "The folder of the workers' heartbeat files",
     "the heartbeat goes through shared memory; no file is written"},
    {workers, "reload_engine", "--reload-engine ENGINE",
     [] { return choice({{"auto"}, {"inotify", "auto"}, {"poll"}}); }, R"("auto")", meaningless,
     "How changes to the code are noticed: inotify is the only way",
     "files are watched with inotify; on a file system without it send SIGHUP to the master after a change"},

    {http, "http_parser", "--http-parser PARSER", [] { return choice({{"auto"}, {"fast"}, {"python"}}); },
     R"("auto")", meaningless, "Which parser reads HTTP", "there is one parser, and it is native"},
    {http, "protocol", "--protocol NAME", [] { return choice({{"http"}, {"uwsgi"}}); }, R"("http")", not_yet,
     "The protocol of clients", "let the proxy speak HTTP (nginx: proxy_pass instead of uwsgi_pass)"},
    {http, "uwsgi_allow_ips", "--uwsgi-allow-from ADDRESSES", network_list, R"(["127.0.0.1", "::1"])",
     meaningless,
     "Peers that may speak the uwsgi protocol",
     "it belongs to the uwsgi protocol, which is not available yet"},
    {http, "strip_header_spaces", "--strip-header-spaces", boolean, "false", refused,
     "Accept blanks between the name of a header field and its colon",
     "it lets requests be smuggled past a proxy (RFC 9112, 5.1); fix the client"},

    {tls, "ssl_version", "--ssl-version VERSION", anything, "null", meaningless,
     "The version of TLS", "gunicorn ignores it too; old versions of TLS are not supported"},
    {tls, "suppress_ragged_eofs", "--suppress-ragged-eofs", boolean, "true", meaningless,
     "Let clients close without ending the TLS session first", of_python_tls},
    {tls, "do_handshake_on_connect", "--do-handshake-on-connect", boolean, "false", meaningless,
     "When to do the TLS handshake", of_python_tls},

    {asgi, "asgi_loop", "--asgi-loop LOOP", [] { return choice({{"auto"}, {"asyncio"}, {"uvloop"}}); },
     R"("auto")", meaningless,
     "The event loop of ASGI applications", "Python coroutines run on the server's own event loop"},

    {process, "tmp_upload_dir", "", note, "null", meaningless,
     "A folder for uploads", "gunicorn does not read it anywhere either"},

    {control, "control_socket", "--control-socket PATH", note, "null", meaningless,
     "A unix socket that accepts commands", no_control},
    {control, "control_socket_mode", "--control-socket-mode MODE", file_mode, "384", meaningless,
     "The file mode of the control socket (384 = 0600)", no_control},
    {control, "control_socket_disable", "--no-control-socket", boolean, "false", meaningless,
     "Do without a control socket", "there is no control socket unless one is asked for"},
    {control, "dirty_apps", "--dirty-app CLASS...", [] { return text_list(commas::are_text, "classes"); },
     "[]", not_yet, "A class run in helper processes; may be repeated", no_dirty},
    {control, "dirty_workers", "--dirty-workers N", any_number, "0", meaningless,
     "Helper processes", of_dirty},
    {control, "dirty_timeout", "--dirty-timeout N", any_number, "300", meaningless,
     "How many seconds a helper's job may take", of_dirty},
    {control, "dirty_threads", "--dirty-threads N", any_number, "1", meaningless,
     "Threads of a helper process", of_dirty},
    {control, "dirty_graceful_timeout", "--dirty-graceful-timeout N", any_number, "30", meaningless,
     "How many seconds helpers have to finish when they stop", of_dirty},
});
// clang-format on

void read_usage(std::string_view usage, setting& row) {
    const auto space = usage.find(' ');
    row.flags = usage.substr(0, space);
    row.form = flag_form::switch_on;
    if (space == usage.npos) return;
    std::string_view value = usage.substr(space + 1);
    row.form = flag_form::value;
    if (value.ends_with("...")) {
        row.form = flag_form::repeated;
        value.remove_suffix(3);
    } else if (value.starts_with('[')) {
        row.form = flag_form::optional_value;
        value = value.substr(1, value.size() - 2);
    }
    row.metavar = value;
}

}  // namespace

std::vector<setting> unavailable() {
    std::vector<setting> rows;
    for (const unavailable_setting& each : table) {
        setting& row = rows.emplace_back();
        row.section = each.section;
        row.name = each.name;
        read_usage(each.usage, row);
        row.type = each.type();
        row.initial = each.initial;
        row.status = each.status;
        row.help = each.help;
        row.remark = each.remark;
    }
    return rows;
}

}  // namespace unicoro::settings::tables
