// SPDX-License-Identifier: MIT
#include "app/media_type.hpp"

#include "http/request_head.hpp"

#include <array>
#include <utility>

namespace unicoro::app {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 26> types{{
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"ico", "image/vnd.microsoft.icon"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
}};

}  // namespace

std::string_view media_type(std::string_view file_name) noexcept {
    const std::size_t dot = file_name.rfind('.');
    if (dot != std::string_view::npos) {
        const std::string_view extension = file_name.substr(dot + 1);
        for (const auto& [known, type] : types) {
            if (http::iequals(known, extension)) return type;
        }
    }
    return "application/octet-stream";
}

}  // namespace unicoro::app
