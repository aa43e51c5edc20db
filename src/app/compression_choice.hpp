// SPDX-License-Identifier: MIT
#pragma once

#include "compress/coding.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "settings/compression_settings.hpp"

#include <cstdint>
#include <optional>

namespace unicoro::app {

/// What is known of a response before its first byte.
struct response_facts {
    std::optional<std::uint64_t> size;  ///< of the body; none = it is streamed
    bool client_certificate = false;    ///< the request came with one
};

struct compression_choice {
    /// Another Accept-Encoding would have had another answer: caches must know.
    bool varies = false;
    std::optional<compress::coding> coding;  ///< none = sent as it is
};

/// Whether a response is compressed, and how: by its type and size, by what the client accepts, never where
/// it forbids that (RFC 9110, 8.4 and 15.3.7; RFC 9111, 5.2.2.6) nor, unless compression_private says so,
/// where its length could give a secret away.
[[nodiscard]] compression_choice choose_compression(
    const settings::compression_settings& values,
    const http::request_head& request,
    const http::response_head& response,
    const response_facts& known
);

/// Makes a head that of the compressed body: Content-Encoding, a weak ETag (RFC 9110, 8.8.1), neither length
/// nor Accept-Ranges.
void announce_coding(http::response_head& head, compress::coding coding);

/// Adds Accept-Encoding to Vary, unless it is there.
void announce_variance(http::response_head& head);

/// Makes the ETag of a 304 weak where the client has asked for the weak one, as `announce_coding` made it.
void match_weak_etag(const http::request_head& request, http::response_head& head);

}  // namespace unicoro::app
