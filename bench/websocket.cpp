// SPDX-License-Identifier: MIT
// A client that keeps a server busy with WebSockets: bench_websocket PORT CONNECTIONS BYTES SECONDS. On each
// connection it sends a message, waits until that has come back, and sends the next. Prints the number of
// messages that came back and the seconds they took.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock = std::chrono::steady_clock;

constexpr char binary_message = '\x82';
constexpr std::size_t least_long = 126;

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

[[noreturn]] void complain(std::string_view what, std::string_view about) {
    std::fprintf(
        stderr,
        "%.*s: %.*s\n",
        static_cast<int>(what.size()),
        what.data(),
        static_cast<int>(about.size()),
        about.data()
    );
    std::exit(1);
}

/// A frame of up to 65,535 bytes, as a client sends it (RFC 6455, 5.2) or as a server does.
enum class sender : char { client = '\x80', server = '\0' };

std::string frame_of(const std::string& payload, sender from) {
    std::string frame{binary_message};
    const bool is_long = payload.size() >= least_long;
    const std::size_t field = is_long ? least_long : payload.size();
    frame += static_cast<char>(field | static_cast<unsigned char>(from));
    if (is_long) {
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size() & 0xff);
    }
    if (from == sender::server) return frame + payload;
    constexpr std::array<unsigned char, 4> key{0x3a, 0xc5, 0x91, 0x07};
    for (const unsigned char each : key) frame += static_cast<char>(each);
    for (std::size_t at = 0; at < payload.size(); ++at) {
        frame += static_cast<char>(static_cast<unsigned char>(payload[at]) ^ key[at % key.size()]);
    }
    return frame;
}

void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) give_up("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) give_up("socket");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect");
    return fd;
}

void shake_hands(int fd) {
    send_all(
        fd,
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
        char byte = 0;
        if (recv(fd, &byte, 1, 0) != 1) complain("no handshake", head);
        head += byte;
    }
    if (!head.starts_with("HTTP/1.1 101 ")) complain("not accepted", head);
}

class echoes {
  public:
    explicit echoes(std::size_t bytes)
        : sent_(frame_of(std::string(bytes, 'x'), sender::client)),
          expected_(frame_of(std::string(bytes, 'x'), sender::server)),
          poll_(epoll_create1(EPOLL_CLOEXEC)) {
        if (poll_ < 0) give_up("epoll_create1");
    }

    void open(std::uint16_t port) {
        const int fd = connect_to(port);
        shake_hands(fd);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
        const auto place = static_cast<std::size_t>(fd);
        if (come_.size() <= place) come_.resize(place + 1);
        send_all(fd, sent_);
    }

    void run_until(clock::time_point end) {
        std::array<epoll_event, 256> events;
        while (clock::now() < end) {
            const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 5000);
            if (count == 0) complain("no echo", "for five seconds");
            if (count < 0 && errno != EINTR) give_up("epoll_wait");
            for (int at = 0; at < count; ++at) hear(events[static_cast<std::size_t>(at)].data.fd);
        }
    }

    [[nodiscard]] std::uint64_t heard() const noexcept { return heard_; }

  private:
    void hear(int fd) {
        std::size_t& come = come_[static_cast<std::size_t>(fd)];
        const ssize_t got = recv(fd, buffer_.data(), std::min(buffer_.size(), expected_.size() - come), 0);
        if (got <= 0) give_up("recv");
        const std::string_view piece(buffer_.data(), static_cast<std::size_t>(got));
        if (expected_.compare(come, piece.size(), piece) != 0) complain("not what was sent", piece);
        come += piece.size();
        if (come < expected_.size()) return;
        come = 0;
        ++heard_;
        send_all(fd, sent_);
    }

    std::string sent_;
    std::string expected_;
    int poll_;
    std::vector<std::size_t> come_;  // bytes of the echo, by descriptor
    std::array<char, 64 * 1024> buffer_;
    std::uint64_t heard_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 5) complain("usage", "bench_websocket PORT CONNECTIONS BYTES SECONDS");
    const int port = std::atoi(arguments[1]);
    const int connections = std::atoi(arguments[2]);
    const int bytes = std::atoi(arguments[3]);
    const double seconds = std::atof(arguments[4]);
    if (port <= 0 || connections <= 0 || bytes <= 0 || bytes > 65535) complain("out of range", "arguments");
    echoes all(static_cast<std::size_t>(bytes));
    for (int number = 0; number < connections; ++number) all.open(static_cast<std::uint16_t>(port));
    const clock::time_point begin = clock::now();
    all.run_until(
        begin + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds))
    );
    const std::chrono::duration<double> took = clock::now() - begin;
    std::printf("%llu %.6f\n", static_cast<unsigned long long>(all.heard()), took.count());
}
