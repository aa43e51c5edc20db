// SPDX-License-Identifier: MIT
#include "app/native_host.hpp"

#include "aio/cancellation.hpp"
#include "aio/stray_child.hpp"
#include "app/body_refusal.hpp"
#include "app/response_access.hpp"
#include "app/websocket.hpp"
#include "base/exception_text.hpp"
#include "log/log.hpp"
#include "os/forks.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <dlfcn.h>

#include <cstring>
#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

namespace unicoro::app {
namespace {

// Answers for an exception that a handler let pass. What the client or the server caused is no
// failure of the application and not logged as one.
void answer_exception(exchange& request, const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        const error_code ec = error.code();
        const bool too_late = ec == errc::deadline_passed && request.head_sent();
        if (!too_late && blame_client(request, ec)) return;
        if (ec == errc::invalid_handshake && !request.head_sent()) {
            [[maybe_unused]] const bool refused = !admit_websocket(request);
            return;
        }
        // A WebSocket that is not the request's own may well have ended.
        const bool foreign = ec == errc::websocket_closed && !request.head_sent();
        const bool mistake = ec == errc::invalid_subprotocol || ec == errc::invalid_header || foreign;
        if (!mistake && ec.category() == unicoro_category()) return request.fail(500, "");
    } catch (...) {
        // Described below.
    }
    log::error(
        "{} {}: the application threw: {}",
        log::escaped(request.head().method),
        log::escaped(request.head().target),
        log::escaped(base::exception_text(failure))
    );
    request.fail(500, "");
}

load_error not_loaded(std::string message) {
    return {boot_failure::application, std::move(message)};
}

load_error why_not_opened(const std::string& path, const std::string& reason) {
    std::string text = "App failed to load: " + reason;
    if (reason.find("undefined symbol") != std::string::npos) {
        text +=
            "\nAn undefined symbol of unicoro:: or boost:: means that the library was built for another "
            "version of Unicoro or Boost: build it against the headers of this one.";
    } else if (reason.find("ELF") != std::string::npos || reason.find("too short") != std::string::npos) {
        text += " (" + path + " is not a shared library for this machine)";
    }
    return not_loaded(std::move(text));
}

std::optional<load_error> no_library(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const std::string remedy =
        ": name a library, such as ./libhello.so:app, or a Python module, such as app:app";
    if (fs::is_directory(path, ignored)) {
        return not_loaded("App failed to load: " + path + " is a folder" + remedy);
    }
    if (fs::exists(path, ignored)) return std::nullopt;
    if (fs::exists(path + ".py", ignored)) {
        return not_loaded(
            "App failed to load: " + path + " is a Python module, which is named with dots" + remedy
        );
    }
    return not_loaded(
        "App failed to load: no file " + path + " in " + fs::current_path(ignored).string() + remedy
    );
}

/// Where the server's symbols are: addresses in its libraries, in the order in which they are looked through.
std::vector<const void*>& places_of_server() {
    static std::vector<const void*> places{abi_tag()};
    return places;
}

/// An application finds the server's symbols among those that everybody sees, where they are only if the
/// server is a program and not a module of one.
void show_server() {
    for (const void* each : places_of_server()) {
        Dl_info library{};
        if (dladdr(each, &library) == 0) continue;
        // Of a program there is nothing to do.
        [[maybe_unused]] void* const shown = dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    }
}

}  // namespace

void looked_through_first(const void* address) {
    std::vector<const void*>& places = places_of_server();
    places.insert(places.begin(), address);
}

class native_host::handle_for_application final : public worker_handle {
  public:
    explicit handle_for_application(worker_context& context) : context_(context) {}

    asio::io_context& io() noexcept override { return context_.io; }
    std::size_t slot() const noexcept override { return context_.slot; }
    void spawn(std::string name, awaitable<void> task) override {
        context_.tasks->spawn(std::move(name), std::move(task));
    }

  private:
    worker_context& context_;
};

native_host::native_host(app_spec spec) : spec_(std::move(spec)) {
    if (spec_.attribute.empty()) spec_.attribute = "app";
}

native_host::~native_host() = default;

std::optional<load_error> native_host::load(worker_context&) {
    // dlopen looks a bare name up in the system's folders; a file here is what the user means.
    const std::string path = spec_.module.find('/') == std::string::npos ? "./" + spec_.module : spec_.module;
    if (auto failure = no_library(path)) return failure;
    show_server();
    // Never closed: its code runs until the process ends.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return why_not_opened(path, dlerror());
    const void* symbol = dlsym(library, spec_.attribute.c_str());
    if (symbol == nullptr) {
        return not_loaded(
            "App failed to load: " + path + " exports no '" + spec_.attribute +
            "'. Define it outside any namespace, and not const, as: unicoro::application " + spec_.attribute +
            "{.handle = ...};"
        );
    }
    std::uint64_t magic = 0;
    std::memcpy(&magic, symbol, sizeof magic);
    if (magic != application_magic) {
        return not_loaded(
            "App failed to load: '" + spec_.attribute + "' in " + path + " is not a unicoro::application"
        );
    }
    const char* abi = nullptr;
    std::memcpy(static_cast<void*>(&abi), static_cast<const char*>(symbol) + sizeof magic, sizeof abi);
    if (std::strcmp(abi, abi_tag()) != 0) {
        return not_loaded(
            "App failed to load: " + path + " was built with [" + abi + "], this server with [" + abi_tag() +
            "]; build the library with the same, and with the "
            "flags that pkg-config --cflags unicoro gives"
        );
    }
    application_ = static_cast<const application*>(symbol);
    if (!application_->handle) {
        return not_loaded("App failed to load: '" + spec_.attribute + "' has no handler: set .handle");
    }
    return std::nullopt;
}

awaitable<std::optional<load_error>> native_host::start(worker_context& context) {
    worker_ = std::make_unique<handle_for_application>(context);
    std::exception_ptr failure;
    if (application_->start) {
        try {
            co_await application_->start(*worker_);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    std::optional<load_error> outcome;
    if (failure) {
        outcome = load_error{
            boot_failure::worker,
            "Worker failed to boot: the start hook threw: " + base::exception_text(failure)
        };
    }
    co_return outcome;
}

awaitable<void> native_host::handle(exchange& request) {
    if (!request.try_enter()) {
        const bool entered = co_await request.enter();
        if (!entered) co_return;
    }
    // Here its waiting ends, whether its handler asks how long that was or not.
    [[maybe_unused]] const auto waited = request.waited();
    unicoro::request asked(request);
    response_writer writer(request);
    std::exception_ptr failure;
    try {
        response answer = co_await application_->handle(asked);
        if (os::forked_off()) aio::end_stray_child();
        const bool in_memory = response_access::give(answer, request);
        if (!in_memory) co_await response_access::send(answer, request, writer);
    } catch (...) {
        failure = std::current_exception();
    }
    // What was spawned may refer to the two above.
    if (!request.nursery().empty()) {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await request.nursery().close();
        co_await asio::this_coro::throw_if_cancelled(true);
    }
    if (!failure) co_return;
    if (os::forked_off()) aio::end_stray_child();
    // The engine answers for what it cancelled.
    if (aio::is_cancellation(failure)) std::rethrow_exception(failure);
    answer_exception(request, failure);
}

std::vector<std::string> native_host::code_files() {
    std::error_code failed;
    return {std::filesystem::absolute(spec_.module, failed).string()};
}

awaitable<void> native_host::stop(worker_context&) {
    if (!application_->stop) co_return;
    std::exception_ptr failure;
    try {
        co_await application_->stop(*worker_);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) log::error("the stop hook threw: {}", base::exception_text(failure));
}

}  // namespace unicoro::app
