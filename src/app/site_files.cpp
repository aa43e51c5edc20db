// SPDX-License-Identifier: MIT
#include "app/site_files.hpp"

#include "app/file_answer.hpp"
#include "app/media_type.hpp"
#include "app/percent.hpp"
#include "http/accepted_codings.hpp"
#include "http/response_head.hpp"
#include "log/log.hpp"
#include "os/beneath.hpp"
#include "os/failure.hpp"

#include <fcntl.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

namespace unicoro::app {
namespace {

constexpr std::string_view index_name = "index.html";

struct packed_sibling {
    std::string_view coding;
    std::string_view suffix;
};

// What packs best goes first, where the client likes all the same.
constexpr std::array<packed_sibling, 3> siblings{{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}};
constexpr std::array codings{siblings[0].coding, siblings[1].coding, siblings[2].coding};

// Names with a dot in front are nobody's business, but for those that RFC 8615 has made everybody's.
bool is_hidden(std::string_view part) noexcept {
    return part.starts_with('.') && part != ".well-known";
}

/// Where a path below a prefix leads within the folder, "" = the folder itself. Nothing for one that names no
/// file: with a part that is empty, hidden, or would be another path when it is decoded.
std::optional<std::string> path_within(std::string_view encoded) {
    if (encoded.starts_with('/')) encoded.remove_prefix(1);
    std::string made;
    while (!encoded.empty()) {
        const std::size_t slash = std::min(encoded.find('/'), encoded.size());
        const std::string part = percent_decode(encoded.substr(0, slash), plus_sign::literal);
        if (part.empty() || is_hidden(part) || part.find('/') != std::string::npos ||
            part.find('\0') != std::string::npos) {
            return std::nullopt;
        }
        made += part;
        encoded.remove_prefix(slash);
        if (encoded.empty()) break;
        made += '/';
        encoded.remove_prefix(1);
    }
    return made;
}

/// What another moment may bring is no file that is not there.
bool is_passing(const error_code& why) noexcept {
    constexpr std::array passing{EAGAIN, EMFILE, ENFILE, ENOMEM, EIO};
    return std::ranges::any_of(passing, [&why](int number) { return why == os::system_error(number); });
}

void put(exchange& to, std::string_view name, std::string_view value) {
    [[maybe_unused]] const error_code invalid = to.response().add(name, value);
}

void redirect_to_folder(exchange& request) {
    const http::request_head& head = request.head();
    std::string target(head.path);
    // "//host/" would be another host's.
    target.erase(0, std::min(target.find_first_not_of('/'), target.size()));
    target = "/" + target + "/";
    if (!head.query.empty()) target.append("?").append(head.query);
    [[maybe_unused]] const error_code invalid = request.response().set_status(301);
    put(request, "Location", target);
    request.respond("");
}

}  // namespace

site_files::site_files(const settings::server_settings& values) {
    for (const auto& [prefix, folder] : values.static_folders) {
        std::error_code failed;
        const std::filesystem::path whole = std::filesystem::absolute(folder, failed);
        folders_.push_back(failed ? folder : whole.string());
    }
    for (const auto& [pattern, value] : values.static_cache_control) rules_.push_back({pattern, value});
    std::ranges::stable_sort(rules_, std::ranges::greater{}, [](const cache_rule& each) {
        return each.pattern.size();
    });
}

std::string_view site_files::cache_control(const std::string& path) const noexcept {
    for (const cache_rule& each : rules_) {
        if (fnmatch(each.pattern.c_str(), path.c_str(), 0) == 0) return each.value;
    }
    return {};
}

/// What is sent; nothing where `status` says why not.
struct site_files::choice {
    int status = 200;
    std::string path;
    open_file file{os::unique_fd()};
    std::string_view coding;
};

site_files::choice site_files::choose(const exchange& request, std::string path) const {
    const std::string& root = folders_[*request.where().folder];
    const os::unique_fd folder(open(root.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (!folder) {
        const error_code why = os::last_error();
        log::error("static: {}: {}", root, why.message());
        return {.status = is_passing(why) ? 503 : 404};
    }
    const bool indexed = path.empty() || path.ends_with('/');
    if (indexed) path += index_name;
    auto found = os::open_beneath(folder.get(), path);
    if (!found) return {.status = is_passing(found.error()) ? 503 : 404};
    choice made{.path = path, .file = open_file(std::move(*found))};
    if (made.file.folder() && !indexed) return {.status = 301};
    if (!made.file.regular()) return {.status = 404};
    for (const std::string_view coding : http::accepted_codings(request.head(), codings)) {
        const auto* const sibling = std::ranges::find(siblings, coding, &packed_sibling::coding);
        auto packed = os::open_beneath(folder.get(), path + std::string(sibling->suffix));
        if (!packed) continue;
        open_file file(std::move(*packed));
        if (!file.regular()) continue;
        made.file = std::move(file);
        made.coding = coding;
        break;
    }
    return made;
}

awaitable<void> site_files::answer(exchange& request) const {
    const std::string_view method = request.head().method;
    if (method != "GET" && method != "HEAD") {
        [[maybe_unused]] const error_code invalid = request.response().set_status(405);
        put(request, "Allow", "GET, HEAD");
        put(request, "Content-Type", "text/html; charset=utf-8");
        request.respond(http::error_page(405, "A file is read by GET or HEAD"));
        co_return;
    }
    const location& where = request.where();
    if (where.path.empty()) {
        redirect_to_folder(request);
        co_return;
    }
    auto path = path_within(where.path);
    if (!path) {
        request.fail(404, "");
        co_return;
    }
    // The folder is not held while its file is sent.
    const choice chosen = choose(request, std::move(*path));
    if (chosen.status == 301) {
        redirect_to_folder(request);
        co_return;
    }
    if (chosen.status != 200) {
        request.fail(chosen.status, "");
        co_return;
    }
    const std::string public_path = std::string(where.prefix) + "/" + chosen.path;
    const file_description about{
        .media_type = media_type(chosen.path),
        .coding = chosen.coding,
        .cache_control = cache_control(public_path),
        .varies = true,
    };
    co_await answer_with_file(request, chosen.file, about);
}

}  // namespace unicoro::app
