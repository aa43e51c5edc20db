// SPDX-License-Identifier: MIT
#include "cli/commands/find_server.hpp"

#include "base/text.hpp"
#include "cli/commands/processes.hpp"
#include "cli/options.hpp"
#include "cli/python_settings.hpp"
#include "os/failure.hpp"
#include "settings/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace unicoro::cli {
namespace {

constexpr const char* token_variable = "UNICORO_ADMIN_TOKEN";

trouble misused(std::string text) {
    return {exit_usage, std::move(text)};
}

/// The first line of a small file.
attempt<std::string> first_line(const std::string& path, const std::string& what) {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 4096> text{};
    if (!file) return misused(what + " " + base::printable(path) + ": " + os::last_error().message());
    file.read(text.data(), text.size());
    if (file.bad()) return misused(what + " " + base::printable(path) + ": cannot be read");
    std::string_view all(text.data(), static_cast<std::size_t>(file.gcount()));
    return std::string(base::trim(all.substr(0, all.find('\n'))));
}

attempt<std::optional<std::string>> token_of(const command_call& call) {
    std::optional<std::string> token;
    std::string where = token_variable;
    if (call.token_file) {
        where = "--token-file " + base::printable(*call.token_file);
        auto read = first_line(*call.token_file, "--token-file");
        if (!read) return read.error();
        token = std::move(*read);
    } else if (const char* const value = std::getenv(token_variable)) {
        token = value;
    }
    if (!token) return token;
    const bool good = !token->empty() && std::ranges::all_of(*token, [](unsigned char byte) {
        return byte > ' ' && byte < 0x7f;
    });
    if (!good) return misused(where + ": has no token: ASCII without blanks is one");
    return token;
}

std::string list_of(const std::vector<master_process>& servers) {
    std::string text;
    for (const master_process& each : servers) {
        text += "\n  pid " + std::to_string(each.pid) + ": " + each.title;
        if (const auto sockets = admin_sockets(each.pid)) {
            text += ", --admin " + base::printable(sockets->front().text());
        }
    }
    return text;
}

attempt<found_server> server_with(pid_t master, const std::string& named_by) {
    if (!is_master(master)) {
        return trouble{
            exit_not_reached,
            named_by + " names process " + std::to_string(master) +
                ", which is no server: it has ended, or is another program"
        };
    }
    found_server found{.master = master};
    const auto sockets = admin_sockets(master);
    if (sockets) {
        found.admin = sockets->front();
    } else {
        found.unseen = sockets.error().text;
    }
    return found;
}

attempt<found_server> server_of_pidfile(const std::string& path, const std::string& named_by) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
        return trouble{
            exit_not_reached, named_by + " " + base::printable(path) + " is not there: no server runs"
        };
    }
    const auto line = first_line(path, named_by);
    if (!line) return line.error();
    const auto pid = base::parse_integer<pid_t>(*line);
    if (!pid || *pid < 1)
        return misused(named_by + " " + base::printable(path) + ": has no number of a process");
    return server_with(*pid, named_by + " " + base::printable(path));
}

attempt<found_server> server_of_settings(const std::string& file, const std::string& program, bool acts) {
    settings::load_request request = settings::request_of_process({program, "-c", file, "--print-config"});
    request.run_python_file = run_python_file;
    const settings::outcome loaded = settings::load(request);
    if (!loaded.ok()) {
        std::string text = "the settings in " + base::printable(file) + " are wrong";
        for (const std::string& each : loaded.errors) text += "\n  " + each;
        return misused(std::move(text));
    }
    const settings::server_settings& values = loaded.settings;
    const std::filesystem::path folder = values.chdir ? request.directory / *values.chdir : request.directory;
    if (values.pidfile && acts) {
        auto found = server_of_pidfile((folder / *values.pidfile).string(), "pidfile");
        if (found && !found->token) found->token = values.monitoring.admin_token;
        return found;
    }
    if (acts) {
        return misused(base::printable(file) + " sets no pidfile: name the server by --pid or --pidfile");
    }
    found_server found{.admin = best_of(values.monitoring.admin_bind, folder)};
    found.token = values.monitoring.admin_token;
    if (found.admin) return found;
    const bool none = values.monitoring.admin_bind.empty();
    return misused(
        base::printable(file) +
        (none ? " sets no admin_bind: set it to unix:PATH or 127.0.0.1:PORT, and reload"
              : " has an admin_bind without a port: name the server by --pid or --pidfile")
    );
}

attempt<found_server> only_server() {
    const auto servers = own_masters();
    if (servers.size() == 1) return server_with(servers.front().pid, "the list of processes");
    if (servers.empty()) {
        return trouble{
            exit_not_reached,
            "no server of this user's runs; one of another user's is named by --admin, --config, --pidfile "
            "or --pid"
        };
    }
    return misused(
        std::to_string(servers.size()) + " servers run: name one by --pid, --pidfile or --admin" +
        list_of(servers)
    );
}

attempt<found_server> named_server(const command_call& call, const std::string& program) {
    if (call.admin) {
        std::string problem;
        auto address = read_admin_address(*call.admin, problem);
        if (!address) return misused("--admin: " + problem);
        return found_server{.admin = std::move(address)};
    }
    if (call.config) return server_of_settings(*call.config, program, call.which->acts);
    if (call.pidfile) return server_of_pidfile(*call.pidfile, "--pidfile");
    if (call.pid) return server_with(*call.pid, "--pid");
    return only_server();
}

}  // namespace

attempt<found_server> find_server(const command_call& call, const std::string& program) {
    auto token = token_of(call);
    if (!token) return token.error();
    auto found = named_server(call, program);
    if (found && *token) found->token = std::move(*token);
    return found;
}

}  // namespace unicoro::cli
