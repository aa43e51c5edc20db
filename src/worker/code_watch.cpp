// SPDX-License-Identifier: MIT
#include "worker/code_watch.hpp"

#include "aio/asio.hpp"
#include "log/log.hpp"

#include <unicoro/sleep.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <utility>

namespace unicoro::worker {
namespace {

using namespace std::chrono_literals;

// An editor writes a file in several steps: the last one counts.
constexpr auto quiet = 50ms;
constexpr auto rescan = 1s;

bool after(const timespec& one, const timespec& other) noexcept {
    return one.tv_sec != other.tv_sec ? one.tv_sec > other.tv_sec : one.tv_nsec > other.tv_nsec;
}

}  // namespace

code_watch::code_watch() : begin_{} {
    // Not the coarse clock: newer kernels stamp some files finer, which would seem to be changed.
    clock_gettime(CLOCK_REALTIME, &begin_);
    auto opened = os::folder_watch::open();
    if (opened) {
        folders_.emplace(std::move(*opened));
    } else {
        log::error("reload: cannot watch files (inotify): {}", opened.error().message());
    }
}

awaitable<std::string> code_watch::changed(app::host& host) {
    if (!folders_) co_return std::string();
    while (true) {
        if (const auto changed = look(host)) co_return *changed;
        const auto until = std::chrono::steady_clock::now() + rescan;
        while (std::chrono::steady_clock::now() < until) {
            std::string found;
            for (std::string& path : folders_->take()) {
                if (counts(path, host)) found = std::move(path);
            }
            co_await sleep_for(quiet);
            if (found.empty()) continue;
            while (!folders_->take().empty()) co_await sleep_for(quiet);
            co_return found;
        }
    }
}

std::optional<std::string> code_watch::look(app::host& host) {
    std::optional<std::string> changed;
    for (std::string& file : host.code_files()) {
        if (!files_.insert(file).second) continue;
        watch_folder_of(file);
        struct stat found{};
        if (stat(file.c_str(), &found) == 0 && after(found.st_mtim, begin_)) changed = file;
    }
    return changed;
}

void code_watch::watch_folder_of(const std::string& file) {
    const std::string folder = file.substr(0, file.rfind('/'));
    if (folder.empty() || !watched_.insert(folder).second) return;
    const error_code failed = folders_->add(folder);
    if (!failed || failed == boost::system::errc::no_such_file_or_directory || complained_) return;
    complained_ = true;
    log::warning("reload: cannot watch {}: {}; see fs.inotify.max_user_watches", folder, failed.message());
}

bool code_watch::counts(const std::string& path, const app::host& host) const {
    return files_.contains(path) || (host.is_broken() && path.ends_with(".py"));
}

}  // namespace unicoro::worker
