// SPDX-License-Identifier: MIT
#include "worker/relay.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <tuple>
#include <utility>

namespace unicoro::worker {
namespace {

constexpr std::size_t buffer_size = 16 * 1024;

// One who sends as fast as the other takes must not keep the loop.
constexpr unsigned most_at_once = 16;

}  // namespace

relay::relay(asio::io_context& io, byte_stream& client, os::withheld_fd inner, std::string early)
    : io_(io), client_(client), inner_(io, AF_UNIX, inner.get()) {
    [[maybe_unused]] const int taken_over = inner.release();
    in_.early = std::move(early);
    in_.held = in_.early;
}

void relay::start(aio::task_group& tasks) {
    tasks.spawn("bytes from a client", carry_in());
    tasks.spawn("bytes to a client", carry_out());
}

awaitable<relay::outcome> relay::carry(byte_stream& from, byte_stream& to, flow& bytes) {
    if (!bytes.buffer) bytes.buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
    for (unsigned steps = 1;; ++steps) {
        io_step step{io_status::done, 0};
        if (bytes.held.empty()) {
            step = from.try_read(std::span<char>(bytes.buffer.get(), buffer_size));
            if (step.status == io_status::would_block) {
                const auto [ec] = co_await from.wait_readable();
                if (ec) co_return outcome::cancelled;
                continue;
            }
            if (step.status != io_status::done) co_return outcome::input_ended;
            bytes.held = std::string_view(bytes.buffer.get(), step.bytes);
        }
        const iovec piece{const_cast<char*>(bytes.held.data()), bytes.held.size()};
        step = to.try_write(std::span<const iovec>(&piece, 1));
        if (step.status == io_status::would_block) {
            const auto [ec] = co_await to.wait_writable();
            if (ec) co_return outcome::cancelled;
            continue;
        }
        if (step.status != io_status::done) co_return outcome::output_failed;
        bytes.held.remove_prefix(step.bytes);
        bytes.carried += step.bytes;
        if (steps % most_at_once == 0) {
            [[maybe_unused]] const std::tuple<> turn = co_await asio::post(io_, as_tuple);
        }
    }
}

awaitable<void> relay::carry_in() {
    const outcome end = co_await carry(client_, inner_, in_);
    if (end == outcome::input_ended) inner_.shutdown_write();
}

awaitable<void> relay::carry_out() {
    const outcome end = co_await carry(inner_, client_, out_);
    if (end == outcome::input_ended) client_.shutdown_write();
    // The application must not wait for one who takes nothing any more.
    if (end == outcome::output_failed) inner_.shutdown_both();
}

void relay::end_input() noexcept {
    inner_.shutdown_write();
}

std::string relay::take_rest() {
    // What is there can still be read, and nothing comes after it.
    inner_.shutdown_both();
    std::string rest(out_.held);
    std::string piece(buffer_size, '\0');
    for (;;) {
        const io_step step = inner_.try_read(piece);
        if (step.status != io_status::done) return rest;
        rest.append(piece, 0, step.bytes);
    }
}

}  // namespace unicoro::worker
