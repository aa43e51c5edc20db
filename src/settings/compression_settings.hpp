// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unicoro::settings {

/// Which responses of the application are compressed, and how; the names are those of the settings.
struct compression_settings {
    std::vector<std::string> compression;        ///< content codings, the favourite first; empty = off
    std::uint64_t compression_min_length = 512;  ///< bytes; of a body whose length is known
    std::vector<std::string> compression_types{
        "text/html",
        "text/css",
        "text/plain",
        "text/csv",
        "text/xml",
        "text/javascript",
        "text/markdown",
        "application/javascript",
        "application/json",
        "application/ld+json",
        "application/geo+json",
        "application/manifest+json",
        "application/problem+json",
        "application/vnd.api+json",
        "application/x-ndjson",
        "application/xml",
        "application/xhtml+xml",
        "application/rss+xml",
        "application/atom+xml",
        "application/wasm",
        "image/svg+xml",
    };
    bool compression_private = false;  ///< also what BREACH could be made of
    int compression_level_zstd = 3;
    int compression_level_br = 4;
    int compression_level_gzip = 5;
};

}  // namespace unicoro::settings
