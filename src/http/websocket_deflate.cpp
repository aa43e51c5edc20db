// SPDX-License-Identifier: MIT
// By Beast's port of zlib and its negotiation, which need nothing of its stream.
#include "http/websocket_deflate.hpp"

#include <boost/beast/http/fields.hpp>  // pmd_extension.hpp needs it and lacks it
#include <boost/beast/websocket/detail/pmd_extension.hpp>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>

#include <array>

namespace unicoro::http {
namespace {

namespace beast = boost::beast;
namespace zlib = beast::zlib;

// A long message goes out in frames of this size: nothing holds all of it compressed.
constexpr std::size_t frame_size = 16 * 1024;

// 4 KiB of memory per connection instead of 32 to compress with, for little loss.
constexpr int most_window_bits = 12;
constexpr int level = 8;
constexpr int memory_level = 4;

// What a flush may need, and the marker at its end that does not go out (RFC 7692, 7.2.1).
constexpr std::size_t flush_room = 6;
constexpr std::string_view flush_marker("\x00\x00\xff\xff", 4);

}  // namespace

std::optional<deflate_agreement> accept_deflate(std::string_view offers, std::string& answer) {
    namespace detail = beast::websocket::detail;
    detail::pmd_offer offered{};
    detail::pmd_read_impl(offered, beast::http::ext_list({offers.data(), offers.size()}));
    if (!offered.accept) return std::nullopt;
    beast::websocket::permessage_deflate ours;
    ours.server_max_window_bits = most_window_bits;
    detail::pmd_offer agreed{};
    agreed.accept = true;
    const auto said = detail::pmd_negotiate_impl(agreed, offered, ours);
    if (!agreed.accept) return std::nullopt;
    answer.assign(said.data(), said.size());
    detail::pmd_normalize(agreed);
    deflate_agreement made;
    made.server_window_bits = agreed.server_max_window_bits;
    made.client_window_bits = agreed.client_max_window_bits;
    made.server_keeps_context = !agreed.server_no_context_takeover;
    made.client_keeps_context = !agreed.client_no_context_takeover;
    return made;
}

websocket_deflater::websocket_deflater(const deflate_agreement& agreed)
    : window_bits_(agreed.server_window_bits), keeps_context_(agreed.server_keeps_context) {}

websocket_deflater::websocket_deflater(websocket_deflater&&) noexcept = default;
websocket_deflater::~websocket_deflater() = default;

bool websocket_deflater::compress(std::string_view& message, std::string& out) {
    if (!stream_) {
        stream_ = std::make_unique<zlib::deflate_stream>();
        stream_->reset(level, window_bits_, memory_level, zlib::Strategy::normal);
    }
    std::array<char, frame_size> made;
    zlib::z_params step;
    step.next_in = message.data();
    step.avail_in = message.size();
    step.next_out = made.data();
    step.avail_out = made.size();
    // need_buffers is all that these can fail with, and it shows in the room that is left.
    beast::error_code unused;
    if (!message.empty()) stream_->write(step, zlib::Flush::none, unused);
    message.remove_prefix(step.total_in);
    bool last = false;
    if (message.empty() && step.avail_out > 0) {
        // The end of a block first: a flush that was cut could not be told from a whole one
        // (https://github.com/madler/zlib/issues/149).
        stream_->write(step, zlib::Flush::block, unused);
        if (step.avail_out >= flush_room) {
            stream_->write(step, zlib::Flush::sync, unused);
            last = true;
        }
    }
    out.append(made.data(), step.total_out - (last ? flush_marker.size() : 0));
    if (last && !keeps_context_) stream_.reset();
    return last;
}

websocket_inflater::websocket_inflater(const deflate_agreement& agreed)
    : window_bits_(agreed.client_window_bits), keeps_context_(agreed.client_keeps_context) {}

websocket_inflater::websocket_inflater(websocket_inflater&&) noexcept = default;
websocket_inflater::~websocket_inflater() = default;

auto websocket_inflater::inflate(std::string_view piece, std::uint64_t limit, std::string& message)
    -> outcome {
    if (!stream_) {
        stream_ = std::make_unique<zlib::inflate_stream>();
        stream_->reset(window_bits_);
    }
    std::array<char, frame_size> made;
    zlib::z_params step;
    step.next_in = piece.data();
    step.avail_in = piece.size();
    bool more = !piece.empty();
    while (more) {
        step.next_out = made.data();
        step.avail_out = made.size();
        beast::error_code failed;
        stream_->write(step, zlib::Flush::sync, failed);
        if (failed && failed != zlib::error::need_buffers) return outcome::invalid;
        const std::size_t size = made.size() - step.avail_out;
        if (limit != 0 && size > limit - message.size()) return outcome::too_long;
        message.append(made.data(), size);
        more = !failed && (step.avail_in > 0 || step.avail_out == 0);
    }
    return outcome::done;
}

auto websocket_inflater::finish(std::uint64_t limit, std::string& message) -> outcome {
    const outcome end = inflate(flush_marker, limit, message);
    if (!keeps_context_) stream_.reset();
    return end;
}

}  // namespace unicoro::http
