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
#include <cstddef>
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

/// Whether a part of a path may be that of a file here.
bool is_sendable(std::string_view part) noexcept {
    return !part.empty() && !is_hidden(part) && part.find('/') == std::string_view::npos &&
           part.find('\0') == std::string_view::npos;
}

enum class notation : bool { literal, percent_encoded };

/// Where a path below a folder leads, "" = the folder itself. Nothing for one that names no file: with a part
/// that is empty, hidden, or would be another path when it is decoded.
std::optional<std::string> path_within(std::string_view path, notation written) {
    if (path.starts_with('/')) path.remove_prefix(1);
    std::string made;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const std::string_view raw = path.substr(0, slash);
        const std::string part =
            written == notation::percent_encoded ? percent_decode(raw, plus_sign::literal) : std::string(raw);
        if (!is_sendable(part)) return std::nullopt;
        made += part;
        path.remove_prefix(slash);
        if (path.empty()) break;
        made += '/';
        path.remove_prefix(1);
    }
    return made;
}

/// What of `path` lies below a folder, from the slash on.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) noexcept {
    if (!path.starts_with(folder)) return std::nullopt;
    path.remove_prefix(folder.size());
    if (!path.starts_with('/') && !folder.ends_with('/')) return std::nullopt;
    return path;
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
    for (const auto* folders : {&values.files.static_folders, &values.files.static_internal}) {
        for (const auto& [prefix, path] : *folders) {
            std::error_code failed;
            std::string whole = std::filesystem::absolute(path, failed).lexically_normal().string();
            if (failed) whole = path;
            while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
            folders_.push_back({prefix, std::move(whole), folders == &values.files.static_internal});
        }
    }
    for (const auto& [pattern, value] : values.files.static_cache_control) rules_.push_back({pattern, value});
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
    std::string path = {};
    open_file file{os::unique_fd()};
    std::string_view coding = {};
};

site_files::choice site_files::choose(const exchange& request, const folder& within, std::string path) {
    const os::unique_fd folder(open(within.path.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (!folder) {
        const error_code why = os::last_error();
        log::error("static: {}: {}", within.path, why.message());
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
    const folder& within = folders_[*request.where().folder];
    if (within.internal) {
        request.fail(404, "");
        co_return;
    }
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
    auto path = path_within(where.path, notation::percent_encoded);
    if (!path) {
        request.fail(404, "");
        co_return;
    }
    // The folder is not held while its file is sent.
    const choice chosen = choose(request, within, std::move(*path));
    if (chosen.status == 301) {
        redirect_to_folder(request);
        co_return;
    }
    if (chosen.status != 200) {
        request.fail(chosen.status, "");
        co_return;
    }
    co_await send(request, within, chosen);
}

awaitable<void> site_files::send(exchange& request, const folder& within, const choice& chosen) const {
    const std::string public_path = within.prefix + "/" + chosen.path;
    const file_description about{
        .media_type = media_type(chosen.path),
        .coding = chosen.coding,
        .cache_control = cache_control(public_path),
        .varies = true,
    };
    co_await answer_with_file(request, chosen.file, about);
}

site_files::place site_files::find_url(std::string_view url) const {
    url = url.substr(0, url.find('?'));
    place found;
    std::string_view rest;
    for (const folder& each : folders_) {
        if (found.within != nullptr && each.prefix.size() <= found.within->prefix.size()) continue;
        const auto length = mounted_length(url, each.prefix);
        if (!length) continue;
        found.within = &each;
        rest = url.substr(*length);
    }
    if (found.within != nullptr) found.path = path_within(rest, notation::percent_encoded);
    return found;
}

site_files::place site_files::find_file(std::string_view path) const {
    place found;
    std::string_view rest;
    std::size_t longest = 0;
    const auto look = [&](const folder& each, std::string_view at) {
        const auto within = below(path, at);
        if (!within || at.size() <= longest) return;
        longest = at.size();
        rest = *within;
        found.within = &each;
    };
    for (const folder& each : folders_) look(each, each.path);
    // By another name, where the folder, or one above it, is a link.
    std::string real;
    for (std::size_t i = 0; found.within == nullptr && i < folders_.size(); ++i) {
        std::error_code failed;
        real = std::filesystem::canonical(folders_[i].path, failed).string();
        if (!failed) look(folders_[i], real);
    }
    if (found.within != nullptr) found.path = path_within(rest, notation::literal);
    return found;
}

awaitable<void> site_files::answer_in_stead(exchange& request, const file_redirect& redirect) const {
    const auto said = [&](std::string_view trouble) {
        return fmt::format(
            "{} {}: {}: {}: {}",
            log::escaped(request.head().method),
            log::escaped(request.head().target),
            redirect.field(),
            log::escaped(redirect.target),
            trouble
        );
    };
    const bool by_url = redirect.names == file_redirect::kind::url_path;
    if (!redirect.target.starts_with('/')) {
        log::error("{}", said(by_url ? "must be a path from \"/\" on" : "must be an absolute path"));
        request.fail(500, "");
        co_return;
    }
    const place found = by_url ? find_url(redirect.target) : find_file(redirect.target);
    if (found.within == nullptr) {
        log::error(
            "{}",
            said(
                by_url ? "lies below no prefix of static or static_internal: name its folder there"
                       : "lies in no folder of static or static_internal: name its folder there"
            )
        );
        request.fail(500, "");
        co_return;
    }
    choice chosen{.status = 404};
    // A folder is none of the files, and what it is called is nobody's business.
    if (found.path && !found.path->empty() && !found.path->ends_with('/')) {
        chosen = choose(request, *found.within, *found.path);
    }
    if (chosen.status != 200) {
        log::warning("{}", said("no file that may be sent is there"));
        request.fail(chosen.status == 503 ? 503 : 404, "");
        co_return;
    }
    co_await send(request, *found.within, chosen);
}

}  // namespace unicoro::app
