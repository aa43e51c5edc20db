// SPDX-License-Identifier: MIT
#include "aio/branch.hpp"

#include "aio/cancellation.hpp"
#include "log/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace unicoro::aio {

void branch::start(asio::io_context& io, awaitable<void> body, std::function<void()> ended) {
    ended_ = std::move(ended);
    const auto over = [this](const std::exception_ptr& failure) {
        if (failure && !is_cancellation(failure)) {
            log::error("a part of a request ended by an exception");
        }
        const std::function<void()> tell = std::move(ended_);
        tell();
    };
    asio::co_spawn(
        io.get_executor(), std::move(body), asio::bind_cancellation_slot(signal_.slot(), over)
    );
}

}  // namespace unicoro::aio
