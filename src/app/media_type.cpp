// SPDX-License-Identifier: MIT
#include "app/media_type.hpp"

#include "base/text.hpp"
#include "http/request_head.hpp"

#include <array>
#include <fstream>
#include <sstream>
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

std::map<std::string, std::string, std::less<>> read_media_types(std::istream& table) {
    std::map<std::string, std::string, std::less<>> found;
    for (std::string line; std::getline(table, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string type;
        words >> type;
        if (type.starts_with("text/")) type += "; charset=utf-8";
        for (std::string extension; words >> extension;) found.emplace(base::to_lower(extension), type);
    }
    return found;
}

std::string_view media_type(std::string_view file_name) {
    constexpr std::string_view unknown = "application/octet-stream";
    const std::size_t dot = file_name.rfind('.');
    if (dot == std::string_view::npos) return unknown;
    const std::string_view extension = file_name.substr(dot + 1);
    for (const auto& [known, type] : types) {
        if (http::iequals(known, extension)) return type;
    }
    static const auto of_system = [] {
        std::ifstream table("/etc/mime.types");
        return read_media_types(table);
    }();
    const auto other = of_system.find(base::to_lower(extension));
    return other == of_system.end() ? unknown : std::string_view(other->second);
}

}  // namespace unicoro::app
