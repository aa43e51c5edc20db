// SPDX-License-Identifier: MIT
// The only file that includes Beast's WebSocket.
#include "worker/websocket_engine.hpp"

#include "http/websocket_handshake.hpp"
#include "worker/websocket_transport.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/zlib/error.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace unicoro::worker {
namespace {

namespace beast = boost::beast;
namespace protocol = beast::websocket;

using io_handler = websocket_transport::io_handler;

template <class Handler>
class held final : public websocket_transport::operation {
  public:
    explicit held(Handler&& handler) : handler_(std::move(handler)) {}

    void complete(error_code ec, std::size_t bytes) override {
        // What it holds may be this operation's last owner.
        Handler handler(std::move(handler_));
        std::move(handler)(ec, bytes);
    }

  private:
    Handler handler_;
};

template <class Handler>
io_handler hold(Handler&& handler) {
    return std::make_unique<held<std::decay_t<Handler>>>(std::forward<Handler>(handler));
}

struct start_read {
    websocket_transport* transport;

    template <class Handler>
    void operator()(Handler&& done, asio::mutable_buffer into) const {
        transport->read(into, hold(std::forward<Handler>(done)));
    }
};

struct start_write {
    websocket_transport* transport;

    template <class Handler>
    void operator()(Handler&& done, const websocket_transport::pieces& from, std::size_t count) const {
        transport->write(from, count, hold(std::forward<Handler>(done)));
    }
};

/// A transport as the concepts AsyncReadStream and AsyncWriteStream want it.
class next_layer {
  public:
    using executor_type = executor;

    explicit next_layer(std::shared_ptr<websocket_transport> transport) : transport_(std::move(transport)) {}

    executor_type get_executor() const noexcept { return transport_->io().get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        asio::mutable_buffer into;
        for (const asio::mutable_buffer each : beast::buffers_range_ref(buffers)) {
            into = each;
            if (into.size() != 0) break;
        }
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            start_read{transport_.get()}, token, into
        );
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        websocket_transport::pieces from{};
        std::size_t count = 0;
        for (const asio::const_buffer each : beast::buffers_range_ref(buffers)) {
            if (each.size() == 0) continue;
            if (count == from.size()) break;
            from[count++] = {const_cast<void*>(each.data()), each.size()};
        }
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            start_write{transport_.get()}, token, from, count
        );
    }

    void break_off() noexcept { transport_->break_off(); }

  private:
    std::shared_ptr<websocket_transport> transport_;
};

// The connection shuts its socket down itself, when the WebSocket has ended.
struct nothing_to_tear_down {
    executor on;

    template <class Handler>
    void operator()(Handler&& done) const {
        asio::post(on, beast::bind_front_handler(std::forward<Handler>(done), error_code{}));
    }
};

template <class Token>
auto async_teardown(beast::role_type, next_layer& layer, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(nothing_to_tear_down{layer.get_executor()}, token);
}

void beast_close_socket(next_layer& layer) {
    layer.break_off();
}

void copy_field(const protocol::response_type& response, beast::http::field name, std::string& to) {
    const auto found = response.find(name);
    if (found == response.end()) return;
    to.append(found->name_string().data(), found->name_string().size()).append(": ");
    to.append(found->value().data(), found->value().size()).append("\r\n");
}

// Completions as plain types: what they hold is the owner alone.
template <void (websocket_events::*Event)(error_code)>
struct tell {
    websocket_engine::owner to;
    template <class... Unused>
    void operator()(error_code ec, Unused...) const {
        ((*to).*Event)(ec);
    }
};

struct tell_read {
    websocket_engine::owner to;
    void operator()(error_code ec, std::size_t bytes) const { to->on_read(ec, bytes); }
};

}  // namespace

struct websocket_engine::beast_stream {
    explicit beast_stream(std::shared_ptr<websocket_transport> over) : protocol_stream(std::move(over)) {}

    protocol::stream<next_layer, true> protocol_stream;
};

websocket_engine::websocket_engine(
    std::shared_ptr<websocket_transport> over,
    const websocket_options& options,
    std::weak_ptr<websocket_events> hearer
)
    : stream_(std::make_unique<beast_stream>(std::move(over))) {
    auto& stream = stream_->protocol_stream;
    // Pings, and the limits of time, are the session's.
    stream.set_option(
        protocol::stream_base::timeout{protocol::stream_base::none(), protocol::stream_base::none(), false}
    );
    protocol::permessage_deflate deflate;
    deflate.server_enable = options.compress;
    // 4 KiB of memory per connection instead of 32 to compress with, for little loss.
    deflate.server_max_window_bits = 12;
    deflate.msg_size_threshold = 64;
    stream.set_option(deflate);
    stream.read_message_max(static_cast<std::size_t>(options.message_limit));
    // Uncompressed messages go out in one frame, without a copy; compressed ones in frames of this size.
    stream.auto_fragment(false);
    stream.write_buffer_bytes(16 * 1024);
    stream.control_callback([hearer = std::move(hearer)](protocol::frame_type type, beast::string_view) {
        const auto told = hearer.lock();
        if (!told) return;
        if (type == protocol::frame_type::pong) told->on_pong();
        if (type == protocol::frame_type::close) told->on_peer_closes();
    });
}

websocket_engine::~websocket_engine() = default;

std::string websocket_engine::accept(const http::request_head& head, owner to) {
    beast::http::request<beast::http::empty_body> request;
    request.method(beast::http::verb::get);
    request.version(11);
    request.target("/");
    request.set(beast::http::field::host, "unicoro");
    request.set(beast::http::field::upgrade, "websocket");
    request.set(beast::http::field::connection, "upgrade");
    const std::string_view key = head.find("Sec-WebSocket-Key").value_or("");
    request.set(beast::http::field::sec_websocket_key, beast::string_view(key.data(), key.size()));
    request.set(beast::http::field::sec_websocket_version, "13");
    const std::string extensions = http::offered_extensions(head);
    if (!extensions.empty()) {
        request.set(beast::http::field::sec_websocket_extensions, extensions);
    }
    std::string answer;
    auto& stream = stream_->protocol_stream;
    // Beast makes its response, and shows it here, before async_accept returns.
    stream.set_option(protocol::stream_base::decorator([&answer](protocol::response_type& response) {
        copy_field(response, beast::http::field::sec_websocket_accept, answer);
        copy_field(response, beast::http::field::sec_websocket_extensions, answer);
    }));
    stream.async_accept(request, tell<&websocket_events::on_accepted>{std::move(to)});
    return answer;
}

void websocket_engine::read(asio::mutable_buffer into, owner to) {
    stream_->protocol_stream.async_read_some(into, tell_read{std::move(to)});
}

void websocket_engine::write(app::websocket_message::kind type, std::string_view data, owner to) {
    auto& stream = stream_->protocol_stream;
    stream.text(type == app::websocket_message::kind::text);
    stream.async_write(
        asio::const_buffer(data.data(), data.size()), tell<&websocket_events::on_written>{std::move(to)}
    );
}

void websocket_engine::ping(owner to) {
    stream_->protocol_stream.async_ping({}, tell<&websocket_events::on_pinged>{std::move(to)});
}

void websocket_engine::close(std::uint16_t code, std::string_view reason, owner to) {
    protocol::close_reason why(code);
    why.reason.assign(reason.data(), reason.size());
    stream_->protocol_stream.async_close(why, tell<&websocket_events::on_closed>{std::move(to)});
}

bool websocket_engine::message_done() const noexcept {
    return stream_->protocol_stream.is_message_done();
}

bool websocket_engine::text() const noexcept {
    return stream_->protocol_stream.got_text();
}

app::websocket_close websocket_engine::peer_close() const {
    const protocol::close_reason& why = stream_->protocol_stream.reason();
    app::websocket_close close;
    close.code = why.code;
    if (why.code == protocol::close_code::none) close.code = protocol::close_code::no_status;
    close.reason.assign(why.reason.data(), why.reason.size());
    return close;
}

app::websocket_close websocket_engine::meaning_of(error_code ec) const {
    app::websocket_close close;
    if (ec == protocol::error::closed) return peer_close();
    if (ec == protocol::error::message_too_big || ec == protocol::error::buffer_overflow) {
        close.code = protocol::close_code::too_big;
    } else if (ec == protocol::error::bad_frame_payload || silent_failure(ec)) {
        close.code = protocol::close_code::bad_payload;
    } else if (ec == protocol::condition::protocol_violation) {
        close.code = protocol::close_code::protocol_error;
    }
    return close;
}

bool websocket_engine::silent_failure(error_code ec) noexcept {
    // Data that cannot be inflated.
    return ec.category() == error_code(beast::zlib::error::stream_error).category();
}

}  // namespace unicoro::worker
