// SPDX-License-Identifier: MIT
#include "worker/warm_up.hpp"

#include "base/text.hpp"
#include "log/log.hpp"
#include "os/failure.hpp"
#include "os/forks.hpp"
#include "worker/http1_connection.hpp"
#include "worker/serving.hpp"
#include "worker/socket_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace unicoro::worker {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t most_head = std::size_t{1} << 16;

/// What to ask for: a path, or a URL that says which host and scheme the application shall see.
struct question {
    std::string_view path;
    std::string_view host = "localhost";
    bool secure = false;
};

question read_question(std::string_view entry) {
    question asked;
    for (const std::string_view scheme : {"http://"sv, "https://"sv}) {
        if (!entry.starts_with(scheme)) continue;
        entry.remove_prefix(scheme.size());
        const std::size_t slash = std::min(entry.find('/'), entry.size());
        asked.host = entry.substr(0, slash);
        asked.secure = scheme == "https://"sv;
        entry.remove_prefix(slash);
    }
    asked.path = entry.empty() ? "/"sv : entry;
    return asked;
}

/// A response as it comes in: its head, how long its body is, and how that ends.
class answer {
  public:
    void add(std::string_view piece) {
        if (!head_size_) {
            head_.append(piece.substr(0, most_head - std::min(head_.size(), most_head)));
            piece = pass_head();
        }
        body_ += piece.size();
        tail_.append(piece.substr(piece.size() - std::min(piece.size(), last_chunk.size())));
        tail_.erase(0, tail_.size() - std::min(tail_.size(), last_chunk.size()));
    }

    /// Nothing while there is no head.
    [[nodiscard]] std::optional<int> status() const {
        return head_size_ ? base::parse_integer<int>(std::string_view(head_).substr(9, 3)) : std::nullopt;
    }

    [[nodiscard]] bool whole() const {
        if (!head_size_) return false;
        if (const auto length = field("\r\ncontent-length: ")) {
            return base::parse_integer<std::size_t>(*length) == body_;
        }
        return !field("\r\ntransfer-encoding: ") || tail_ == last_chunk;
    }

  private:
    static constexpr std::string_view last_chunk = "0\r\n\r\n";

    /// What follows the head of the final response; interim ones (103) go before it.
    std::string_view pass_head() {
        for (;;) {
            const std::size_t end = head_.find("\r\n\r\n");
            if (end == head_.npos) return {};
            if (!head_.starts_with("HTTP/1.1 1")) {
                head_size_ = end + 2;
                fields_ = base::to_lower(std::string_view(head_).substr(0, end + 2));
                return std::string_view(head_).substr(end + 4);
            }
            head_.erase(0, end + 4);
        }
    }

    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const {
        const std::size_t at = fields_.find(name);
        if (at == fields_.npos) return std::nullopt;
        const std::string_view value = std::string_view(fields_).substr(at + name.size());
        return value.substr(0, value.find('\r'));
    }

    std::string head_;
    std::string fields_;
    std::string tail_;
    std::optional<std::size_t> head_size_;
    std::size_t body_ = 0;
};

app::connection_info describe(std::span<const os::listener> listeners, const question& asked) {
    app::connection_info info;
    info.warm_up = true;
    info.remote_address = "127.0.0.1";
    if (!listeners.empty()) {
        info.local_address = listeners.front().address();
        info.local_port = listeners.front().port();
        info.unix_socket = listeners.front().is_unix();
    }
    if (info.unix_socket) info.remote_address.clear();
    if (asked.secure) {
        app::stream_facts facts;
        facts.tls.emplace();
        info.stream = std::make_unique<app::stream_facts>(std::move(facts));
    }
    return info;
}

/// A connection to this worker, already being served; the client's end of it.
result<std::unique_ptr<byte_stream>> connect(
    serving& shared, app::connection_info info, stream_factory& streams, aio::task_group& connections
) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        return os::last_error();
    }
    os::withheld_fd client{os::unique_fd(ends[0])};
    os::withheld_fd served{os::unique_fd(ends[1])};
    std::unique_ptr<byte_stream> stream = streams.make(AF_UNIX, served.get());
    [[maybe_unused]] const int taken = served.release();
    std::unique_ptr<byte_stream> own = streams.make(AF_UNIX, client.get());
    [[maybe_unused]] const int kept = client.release();
    auto connection = std::make_unique<http1_connection>(shared, std::move(stream), std::move(info));
    http1_connection& serving_it = *connection;
    connections.spawn(std::move(connection), serving_it.serve());
    return own;
}

/// Sends the request, which fits into the socket, and takes what comes back.
awaitable<answer> ask(byte_stream& client, std::string request) {
    const iovec whole{request.data(), request.size()};
    [[maybe_unused]] const io_step sent = client.try_write({&whole, 1});
    answer got;
    std::array<char, 16384> piece;
    for (;;) {
        const io_step step = client.try_read(piece);
        if (step.status == io_status::done) {
            got.add({piece.data(), step.bytes});
            continue;
        }
        if (step.status != io_status::would_block) break;
        const auto [ec] = co_await client.wait_readable();
        if (ec) break;
    }
    co_return got;
}

}  // namespace

awaitable<std::string> warm_up(
    serving& shared,
    std::span<const os::listener> listeners,
    stream_factory& streams,
    aio::task_group& connections
) {
    for (const std::string& entry : shared.settings.warm_up) {
        const question asked = read_question(entry);
        auto client = connect(shared, describe(listeners, asked), streams, connections);
        if (!client) co_return fmt::format("GET {}: {}", entry, client.error().message());
        const scoreboard::monotonic_ns began = scoreboard::monotonic_now();
        std::string request = fmt::format(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: unicoro (warm-up)\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n",
            asked.path,
            asked.host
        );
        const answer got = co_await ask(**client, std::move(request));
        if (shared.draining) co_return std::string();
        const double took = static_cast<double>(scoreboard::monotonic_now() - began) / 1e9;
        const auto status = got.status();
        if (!status) co_return fmt::format("GET {} was not answered, after {:.3f} s", entry, took);
        if (*status >= 500)
            co_return fmt::format("GET {} was answered {}, after {:.3f} s", entry, *status, took);
        if (!got.whole()) co_return fmt::format("GET {}: the answer {} ended too soon", entry, *status);
        const auto level = *status < 400 ? log::level::info : log::level::warning;
        log::write(level, fmt::format("Warm-up: GET {} was answered {} in {:.3f} s", entry, *status, took));
    }
    co_return std::string();
}

}  // namespace unicoro::worker
