// SPDX-License-Identifier: MIT
#include "cli/commands/processes.hpp"

#include "base/text.hpp"
#include "cli/commands/http_get.hpp"
#include "cli/commands/text_table.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <system_error>

namespace unicoro::cli {
namespace {

namespace fs = std::filesystem;

// The kernel's short names, of 15 bytes.
constexpr std::string_view name_of_master = "unicoro: master";
constexpr std::string_view name_of_monitor = "unicoro: monito";

// A monitor that has just died or was replaced is there again by then.
constexpr int looks_for_monitor = 5;
constexpr int pause_between_ms = 100;

struct process {
    pid_t pid = 0;
    pid_t parent = 0;
    uid_t user = 0;
    bool alive = false;
    std::string name = {};
};

fs::path folder_of(pid_t pid) {
    return fs::path("/proc") / std::to_string(pid);
}

std::optional<process> look_at(pid_t pid) {
    std::ifstream file(folder_of(pid) / "status");
    if (!file) return std::nullopt;
    process found{.pid = pid};
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string key;
        words >> key;
        if (key == "Name:") found.name = base::trim(std::string_view(line).substr(5));
        if (key == "State:") {
            std::string state;
            words >> state;
            found.alive = state != "Z" && state != "X";
        }
        if (key == "PPid:") words >> found.parent;
        if (key == "Uid:") {
            uid_t real = 0;
            words >> real >> found.user;
        }
    }
    return found;
}

std::vector<process> all_processes() {
    std::vector<process> found;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator("/proc", failed)) {
        const auto pid = base::parse_integer<pid_t>(entry.path().filename().string());
        if (!pid) continue;
        if (auto seen = look_at(*pid); seen && seen->alive) found.push_back(std::move(*seen));
    }
    return found;
}

std::string title_of(pid_t pid) {
    std::ifstream file(folder_of(pid) / "cmdline", std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    while (!text.empty() && text.back() == '\0') text.pop_back();
    return shown(text, 100);
}

std::string link(const fs::path& path) {
    std::error_code failed;
    return fs::read_symlink(path, failed).string();
}

/// The inodes of the sockets that a process has.
attempt<std::set<std::string>> sockets_of(pid_t pid) {
    std::set<std::string> found;
    std::error_code failed;
    constexpr std::string_view kind = "socket:[";
    for (const auto& entry : fs::directory_iterator(folder_of(pid) / "fd", failed)) {
        const std::string to = link(entry.path());
        if (to.starts_with(kind)) found.insert(to.substr(kind.size(), to.size() - kind.size() - 1));
    }
    if (!failed) return found;
    return trouble{
        exit_not_reached,
        "cannot look into process " + std::to_string(pid) + ": " + failed.message() +
            "; name the server's admin_bind: --admin ADDRESS"
    };
}

std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
    return lines;
}

/// Where a path leads that the master has bound in its own folder, or by its descriptor of another one.
std::string path_from_here(const std::string& bound, pid_t master) {
    constexpr std::string_view by_descriptor = "/proc/self/fd/";
    if (!bound.starts_with(by_descriptor)) {
        return bound.starts_with('/') ? bound : (fs::path(link(folder_of(master) / "cwd")) / bound).string();
    }
    const std::string name = "/" + fs::path(bound).filename().string();
    std::error_code failed;
    // It holds the file itself.
    for (const auto& entry : fs::directory_iterator(folder_of(master) / "fd", failed)) {
        const std::string to = link(entry.path());
        if (to.starts_with('/') && to.ends_with(name) && fs::is_socket(to, failed)) return to;
    }
    const std::string rest = bound.substr(by_descriptor.size());
    return link(folder_of(master) / "fd" / rest.substr(0, rest.find('/'))) + name;
}

std::string host_in_hex(std::string_view hex) {
    std::array<std::uint32_t, 4> words{};
    const std::size_t count = hex.size() / 8;
    if (hex.size() % 8 != 0 || (count != 1 && count != 4)) return {};
    for (std::size_t each = 0; each < count; ++each) {
        const auto word = base::parse_integer<std::uint32_t>(hex.substr(each * 8, 8), 16);
        if (!word) return {};
        words.at(each) = *word;
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = count == 1 ? AF_INET : AF_INET6;
    if (inet_ntop(family, words.data(), text.data(), text.size()) == nullptr) return {};
    return text.data();
}

std::vector<std::string_view> words_of(std::string_view line, std::size_t most) {
    std::vector<std::string_view> words;
    while (words.size() < most) {
        const auto start = std::min(line.find_first_not_of(' '), line.size());
        line.remove_prefix(start);
        if (line.empty()) break;
        const auto end = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
    return words;
}

std::vector<admin_address> listened_at(const std::set<std::string>& sockets, pid_t monitor, pid_t master) {
    std::vector<admin_address> found;
    const fs::path net = folder_of(monitor) / "net";
    for (const std::string& line : lines_of(net / "unix")) {
        const auto read = read_unix_line(line);
        if (read && sockets.contains(read->inode)) {
            found.push_back({.path = path_from_here(read->path, master)});
        }
    }
    if (link("/proc/self/ns/net") != link(folder_of(monitor) / "ns" / "net")) return found;
    for (const char* const table : {"tcp", "tcp6"}) {
        for (const std::string& line : lines_of(net / table)) {
            const auto read = read_tcp_line(line);
            if (read && sockets.contains(read->inode)) found.push_back(read->address);
        }
    }
    return found;
}

std::vector<process> monitors_of(pid_t master) {
    std::vector<process> found = all_processes();
    std::erase_if(found, [master](const process& each) {
        return each.parent != master || each.name != name_of_monitor;
    });
    return found;
}

}  // namespace

std::optional<listening_tcp> read_tcp_line(std::string_view line) {
    const auto words = words_of(line, 10);
    if (words.size() < 10 || words[3] != "0A") return std::nullopt;
    const auto colon = words[1].find(':');
    if (colon == words[1].npos) return std::nullopt;
    const auto port = base::parse_integer<std::uint16_t>(words[1].substr(colon + 1), 16);
    const std::string host = host_in_hex(words[1].substr(0, colon));
    if (!port || host.empty()) return std::nullopt;
    return listening_tcp{std::string(words[9]), {.host = host_to_ask(host), .port = *port}};
}

std::optional<listening_unix> read_unix_line(std::string_view line) {
    constexpr std::string_view accepts = "00010000";
    const auto words = words_of(line, 8);
    if (words.size() < 8 || words[3] != accepts || words[7].starts_with('@')) return std::nullopt;
    // A path may have blanks.
    const auto start = static_cast<std::size_t>(words[7].data() - line.data());
    return listening_unix{std::string(words[6]), std::string(line.substr(start))};
}

std::vector<master_process> own_masters() {
    std::vector<process> all = all_processes();
    std::erase_if(all, [](const process& each) { return each.name != name_of_master; });
    std::vector<master_process> found;
    for (const process& each : all) {
        const bool is_child =
            std::ranges::any_of(all, [&](const process& other) { return other.pid == each.parent; });
        if (each.user == geteuid() && !is_child) found.push_back({each.pid, title_of(each.pid)});
    }
    std::ranges::sort(found, {}, &master_process::pid);
    return found;
}

bool is_master(pid_t pid) {
    const auto seen = look_at(pid);
    return seen && seen->alive && seen->name == name_of_master;
}

attempt<std::vector<admin_address>> admin_sockets(pid_t master) {
    for (int look = 1;; ++look) {
        std::vector<admin_address> found;
        for (const process& each : monitors_of(master)) {
            const auto sockets = sockets_of(each.pid);
            // One that has ended since is none.
            if (!sockets && look_at(each.pid)) return sockets.error();
            if (sockets) found = listened_at(*sockets, each.pid, master);
            // Those of agent_check_bind look the same from here. A unix socket is none, and the first.
            const bool any_kind = !found.empty() && !found.front().is_unix();
            if (any_kind) std::erase_if(found, [](const auto& one) { return !speaks_http(one); });
            if (!found.empty()) return found;
        }
        if (look == looks_for_monitor) break;
        poll(nullptr, 0, pause_between_ms);
    }
    return trouble{
        exit_not_reached,
        "the server with pid " + std::to_string(master) +
            " cannot be asked: it has no admin_bind that is reached from here; set it in its settings "
            "(admin_bind = unix:PATH or 127.0.0.1:PORT) and reload them"
    };
}

}  // namespace unicoro::cli
