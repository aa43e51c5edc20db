// SPDX-License-Identifier: MIT
#include "worker/relay_thread.hpp"

#include "os/signals.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <utility>

namespace unicoro::worker {
namespace {

int family_of(int fd) noexcept {
    int family = AF_UNSPEC;
    socklen_t size = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    return family;
}

}  // namespace

relay_thread::relay_thread(os::withheld_fd client, os::withheld_fd inner, std::string early) {
    client_.emplace(io_, family_of(client.get()), client.get());
    [[maybe_unused]] const int taken_over = client.release();
    relay_.emplace(io_, *client_, std::move(inner), std::move(early));
    const os::signals_held_back for_its_thread;
    thread_ = std::thread([this] { io_.run(); });
}

void relay_thread::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { tasks_.cancel_all(); });
    work_.reset();
    thread_.join();
}

}  // namespace unicoro::worker
