// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// Who may speak HTTP/2 without TLS.
enum class http2_cleartext_mode { off, prior_knowledge };

/// The versions of HTTP that are spoken, and the bounds of HTTP/2; each member has the name of its setting.
struct http2_settings {
    std::vector<std::string> http_protocols{"h1"};  ///< "h1", "h2", each once; the preferred one first
    http2_cleartext_mode http2_cleartext = http2_cleartext_mode::off;
    unsigned http2_max_concurrent_streams = 100;  ///< of a connection
    unsigned http2_initial_window_size = 65535;   ///< bytes, of a stream
    unsigned http2_max_frame_size = 16384;        ///< bytes
    unsigned http2_max_header_list_size = 65536;  ///< bytes, as RFC 9113, 6.5.2 counts them

    /// "h1" or "h2" is one of `http_protocols`.
    [[nodiscard]] bool speaks(std::string_view protocol) const noexcept;
};

}  // namespace unicoro::settings
