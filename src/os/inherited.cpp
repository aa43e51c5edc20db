// SPDX-License-Identifier: MIT
#include "os/inherited.hpp"

#include "os/descriptors.hpp"
#include "os/socket_address.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::os {
namespace {

constexpr int first_systemd_fd = 3;  // SD_LISTEN_FDS_START

std::optional<int> option(int fd, int name) noexcept {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, name, &value, &length) != 0) return std::nullopt;
    return value;
}

template <class Integer>
std::optional<Integer> environment_number(const char* variable) noexcept {
    const char* text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits(text);
    Integer value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

// Standard streams are replaced when the process becomes a daemon; a socket there must move away.
result<unique_fd> take_over(int fd) noexcept {
    if (fd > STDERR_FILENO) {
        if (const error_code failed = make_private(fd)) return failed;
        return unique_fd(fd);
    }
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, first_systemd_fd);
    if (moved < 0) return last_error();
    unique_fd owner(moved);
    if (const error_code failed = make_private(moved)) return failed;
    return owner;
}

}  // namespace

outcome<listener> adopt_listener(int fd, int backlog) noexcept {
    const std::string what = "cannot listen on fd://" + std::to_string(fd);
    const auto type = option(fd, SO_TYPE);
    if (!type) {
        const error_code code = last_error();
        const char* cause =
            code == system_error(EBADF) ? ": no such descriptor was passed" : ": not a socket";
        return failure{code, what + cause};
    }
    const auto address = local_address(fd);
    if (!address) return make_failure(address.error(), what);
    if (*type != SOCK_STREAM || !(address->is_tcp() || address->is_unix())) {
        return failure{system_error(EPROTOTYPE), what + ": not a TCP or unix stream socket"};
    }
    if (address->is_tcp() && address->port() == 0) {
        return failure{system_error(EINVAL), what + ": the socket is not bound to an address"};
    }
    if (option(fd, SO_ACCEPTCONN) != 1 && listen(fd, backlog) != 0) {
        return make_failure(last_error(), what);
    }
    auto owner = take_over(fd);
    if (!owner) return make_failure(owner.error(), what);
    if (const error_code failed = limit_accept_wait(owner->get())) return make_failure(failed, what);
    if (address->is_tcp()) {
        const int on = 1;
        setsockopt(owner->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    listener::state made;
    made.fd = std::move(*owner);
    made.unix_socket = address->is_unix();
    made.address = address->host();
    made.port = address->port();
    return listener(std::move(made));
}

outcome<listener> resume_listener(const passed_socket& passed) noexcept {
    const std::string what = "cannot go on listening on descriptor " + std::to_string(passed.fd);
    unique_fd owner(passed.fd);
    const auto address = local_address(passed.fd);
    if (!address) return make_failure(address.error(), what);
    if (const error_code failed = make_private(passed.fd)) return make_failure(failed, what);
    listener::state made;
    made.fd = std::move(owner);
    made.unix_socket = address->is_unix();
    made.address = passed.path.value_or(address->host());
    made.port = address->port();
    if (!passed.path) return listener(std::move(made));
    auto file = socket_file::resume(passed.fd, *passed.path);
    if (!file) return file.error();
    return listener(std::move(made), std::move(*file));
}

std::vector<manager_socket> take_systemd_sockets() {
    const auto meant_for = environment_number<pid_t>("LISTEN_PID");
    const auto count = environment_number<int>("LISTEN_FDS");
    std::vector<manager_socket> passed;
    if (meant_for != getpid() || !count) return passed;
    const char* const names = std::getenv("LISTEN_FDNAMES");
    std::string_view left(names == nullptr ? "" : names);
    for (int index = 0; index < *count; ++index) {
        const std::string_view name = left.substr(0, left.find(':'));
        left.remove_prefix(std::min(left.size(), name.size() + 1));
        passed.push_back({first_systemd_fd + index, std::string(name)});
    }
    for (const char* const each : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(each);
    return passed;
}

outcome<std::vector<listener>> adopt_listeners(const std::vector<manager_socket>& passed, int backlog) {
    std::vector<listener> taken;
    for (const manager_socket& each : passed) {
        auto adopted = adopt_listener(each.fd, backlog);
        if (!adopted) {
            failure failed = adopted.error();
            failed.message += " (passed by systemd, LISTEN_FDS)";
            return failed;
        }
        taken.push_back(std::move(*adopted));
    }
    return taken;
}

}  // namespace unicoro::os
