// SPDX-License-Identifier: MIT
#include "cli/commands/run_command.hpp"

#include "cli/commands/act.hpp"
#include "cli/commands/arguments.hpp"
#include "cli/commands/look.hpp"
#include "cli/commands/stacks_view.hpp"
#include "cli/commands/top.hpp"
#include "cli/commands/views.hpp"
#include "cli/options.hpp"
#include "settings/commands.hpp"

#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::cli {
namespace {

void write_lines(const std::vector<std::string>& lines, std::ostream& out) {
    for (const std::string& line : lines) out << line << '\n';
}

/// Asks for `path`, and shows it as it is or as lines. `judge` says the exit code.
template <class View>
attempt<int> show(
    const command_call& call,
    const std::string& program,
    std::ostream& out,
    const std::string& path,
    attempt<View> (*read)(std::string_view json),
    std::vector<std::string> (*lines)(const View& seen),
    attempt<int> (*judge)(const command_call& call, const View& seen)
) {
    const auto server = find_server(call, program);
    if (!server) return server.error();
    const auto json = look(*server, path);
    if (!json) return json.error();
    const auto seen = read(*json);
    if (!seen) return seen.error();
    const auto judged = judge(call, *seen);
    if (!judged) return judged.error();
    if (call.json) {
        const auto plain = plain_json(*json);
        if (!plain) return plain.error();
        out << *plain;
    } else {
        write_lines(lines(*seen), out);
    }
    return *judged;
}

std::vector<std::string> lines_of_all(const requests_view& seen) {
    return lines_of(seen, std::nullopt);
}

attempt<int> judge_status(const command_call&, const server_view& seen) {
    return seen.ready ? exit_ok : exit_not_so;
}

attempt<int> judge_requests(const command_call&, const requests_view&) {
    return exit_ok;
}

attempt<int> judge_stacks(const command_call& call, const stacks_view& seen) {
    if (call.worker && seen.workers.empty()) {
        return trouble{
            exit_not_so,
            "no worker of the server has the pid " + std::to_string(*call.worker) +
                "; unicoro status lists them"
        };
    }
    return exit_ok;
}

attempt<int> run_call(const command_call& call, const std::string& program, std::ostream& out) {
    if (call.which->acts) return run_act(call, program, out);
    if (call.which->name == "status") {
        return show<server_view>(call, program, out, "/status", &read_status, &lines_of, &judge_status);
    }
    if (call.which->name == "requests") {
        return show<requests_view>(
            call, program, out, "/requests", &read_requests, &lines_of_all, &judge_requests
        );
    }
    if (call.which->name == "stacks") {
        const std::string path =
            call.worker ? "/stacks?worker=" + std::to_string(*call.worker) : std::string("/stacks");
        return show<stacks_view>(call, program, out, path, &read_stacks, &lines_of, &judge_stacks);
    }
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
