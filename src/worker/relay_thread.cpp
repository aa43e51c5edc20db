// SPDX-License-Identifier: MIT
#include "worker/relay_thread.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <sys/socket.h>

#include <csignal>
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
    // Signals are the loop's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([this] { io_.run(); });
    } catch (...) {
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void relay_thread::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { tasks_.cancel_all(); });
    work_.reset();
    thread_.join();
}

}  // namespace unicoro::worker
