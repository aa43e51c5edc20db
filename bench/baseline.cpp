// SPDX-License-Identifier: MIT
// The least a server can do, as the measure of all others: one level-triggered epoll loop that
// reads what is there and writes a fixed response for every blank line in it. It parses and checks
// nothing.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

// As long as the answer of examples/native: bytes on the wire are part of the cost.
constexpr std::string_view response =
    "HTTP/1.1 200 OK\r\n"
    "Server: baseline\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 14\r\n"
    "\r\n"
    "Hello, world!\n";

constexpr std::string_view end_of_request = "\r\n\r\n";

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

int listen_on(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) give_up("socket");
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("bind");
    if (listen(fd, 2048) != 0) give_up("listen");
    return fd;
}

void watch(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
}

std::size_t count_requests(std::string_view bytes) {
    std::size_t count = 0;
    for (std::size_t at = bytes.find(end_of_request); at != std::string_view::npos;
         at = bytes.find(end_of_request, at + end_of_request.size())) {
        ++count;
    }
    return count;
}

// wrk sends a request in one piece, so that no end of one is ever split over two reads.
void answer(int fd) {
    std::array<char, 16384> bytes;
    const ssize_t got = read(fd, bytes.data(), bytes.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        close(fd);
        return;
    }
    const std::size_t count = count_requests({bytes.data(), static_cast<std::size_t>(got)});
    for (std::size_t i = 0; i < count; ++i) {
        if (write(fd, response.data(), response.size()) < 0) {
            close(fd);
            return;
        }
    }
}

void accept_all(int epoll, int listener) {
    for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        watch(epoll, fd);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    const int listener = listen_on(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) give_up("epoll_create1");
    watch(epoll, listener);
    std::vector<epoll_event> events(512);
    for (;;) {
        const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                accept_all(epoll, listener);
            } else {
                answer(fd);
            }
        }
    }
}
