// SPDX-License-Identifier: MIT
#include "cli/commands/run_command.hpp"

#include "cli/commands/act.hpp"
#include "cli/commands/arguments.hpp"
#include "cli/commands/look.hpp"
#include "cli/commands/top.hpp"
#include "cli/commands/views.hpp"
#include "cli/options.hpp"
#include "settings/commands.hpp"

#include <limits>
#include <ostream>
#include <span>

namespace unicoro::cli {
namespace {

void write_lines(const std::vector<std::string>& lines, std::ostream& out) {
    for (const std::string& line : lines) out << line << '\n';
}

attempt<int> show_status(const command_call& call, const std::string& program, std::ostream& out) {
    const auto server = find_server(call, program);
    if (!server) return server.error();
    const auto json = look(*server, "/status");
    if (!json) return json.error();
    const auto seen = read_status(*json);
    if (!seen) return seen.error();
    if (call.json) {
        const auto plain = plain_json(*json);
        if (!plain) return plain.error();
        out << *plain;
    } else {
        write_lines(lines_of(*seen), out);
    }
    return seen->ready ? exit_ok : exit_not_so;
}

attempt<int> show_requests(const command_call& call, const std::string& program, std::ostream& out) {
    const auto server = find_server(call, program);
    if (!server) return server.error();
    const auto json = look(*server, "/requests");
    if (!json) return json.error();
    const auto seen = read_requests(*json);
    if (!seen) return seen.error();
    if (call.json) {
        const auto plain = plain_json(*json);
        if (!plain) return plain.error();
        out << *plain;
    } else {
        write_lines(lines_of(*seen, std::numeric_limits<std::size_t>::max()), out);
    }
    return exit_ok;
}

attempt<int> run_call(const command_call& call, const std::string& program, std::ostream& out) {
    if (call.which->acts) return run_act(call, program, out);
    if (call.which->name == "status") return show_status(call, program, out);
    if (call.which->name == "requests") return show_requests(call, program, out);
    return run_top(call, program);
}

}  // namespace

std::optional<int> run_command(
    const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err
) {
    const settings::command* const which =
        arguments.size() < 2 ? nullptr : settings::find_command(arguments[1]);
    if (which == nullptr) return std::nullopt;
    const std::string name = "unicoro " + arguments[1];
    const command_call call = read_call(*which, std::span(arguments).subspan(2));
    if (call.help) {
        out << help_of_command(*which);
        return exit_ok;
    }
    for (const std::string& each : call.problems) err << name << ": error: " << each << '\n';
    if (!call.problems.empty()) return exit_usage;
    const auto done = run_call(call, arguments.front(), out);
    if (done) return *done;
    err << name << ": error: " << done.error().text << '\n';
    return done.error().code;
}

}  // namespace unicoro::cli
