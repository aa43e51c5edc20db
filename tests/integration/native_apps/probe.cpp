// SPDX-License-Identifier: MIT
// What tests need of an application: to be watched, held, and made to fail on demand.
#include "gate.hpp"

#include <unicoro/unicoro.hpp>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace probe {
namespace {

using unicoro::awaitable;
using unicoro::request;
using unicoro::response;

std::string parameter(request& asked, std::string_view name) {
    return asked.query_parameter(name).value_or("");
}

std::size_t number(request& asked, std::string_view name) {
    return static_cast<std::size_t>(std::strtoull(parameter(asked, name).c_str(), nullptr, 10));
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

awaitable<response> pid(request&) {
    co_return response::text(std::to_string(getpid()));
}

awaitable<response> environment(request& asked) {
    co_return response::text(variable(parameter(asked, "name").c_str()));
}

awaitable<response> folder(request&) {
    co_return response::text(std::filesystem::current_path().string());
}

awaitable<response> echo(request& asked) {
    std::string body = co_await asked.body().read_all(std::size_t{64} << 20);
    co_return response::text(std::move(body));
}

awaitable<response> hold(request& asked) {
    gate held(parameter(asked, "gate"));
    co_await held.pass();
    co_return response::text(std::to_string(getpid()));
}

// Stays until a file is there, or for a while, and tells how long it had waited before.
awaitable<response> admitted(request& asked) {
    if (const std::string note = parameter(asked, "note"); !note.empty()) {
        std::ofstream(note, std::ios::app) << parameter(asked, "name") << '\n';
    }
    const std::string until = parameter(asked, "until");
    while (!until.empty() && !std::filesystem::exists(until)) {
        co_await unicoro::sleep_for(std::chrono::milliseconds(5));
    }
    const double seconds = std::strtod(parameter(asked, "seconds").c_str(), nullptr);
    co_await unicoro::sleep_for(std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
    const auto waited = asked.queue_time();
    co_return response::text(
        waited ? std::to_string(std::chrono::duration<double>(*waited).count()) : std::string("none")
    );
}

awaitable<response> block(request& asked) {
    gate held(parameter(asked, "gate"));
    held.block();
    co_return response::text(std::to_string(getpid()));
}

// Holds the worker's loop for a while.
awaitable<response> hold_the_loop(request& asked) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(number(asked, "ms"));
    while (std::chrono::steady_clock::now() < end) continue;
    co_return response::text("held");
}

awaitable<response> sleep_on_the_loop(request& asked) {
    std::this_thread::sleep_for(std::chrono::milliseconds(number(asked, "ms")));
    co_return response::text("slept");
}

awaitable<response> crash(request&) {
    // The default action: a handler of the process could otherwise turn it into something else.
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    co_return response();
}

awaitable<response> leave(request& asked) {
    _exit(static_cast<int>(number(asked, "code")));
    co_return response();
}

awaitable<response> raise_exception(request&) {
    throw std::runtime_error("thrown by the probe");
    co_return response();
}

awaitable<response> zeros(request& asked) {
    std::string body(number(asked, "count"), '0');
    co_return response::text(std::move(body));
}

awaitable<response> status(request& asked) {
    co_return response(static_cast<int>(number(asked, "code")));
}

awaitable<response> header(request& asked) {
    response answer = response::text("with a header\n");
    answer.add_header(parameter(asked, "name"), parameter(asked, "value"));
    co_return answer;
}

awaitable<response> file(request& asked) {
    co_return response::file(parameter(asked, "path"));
}

class pieces {
  public:
    pieces(std::size_t count, std::size_t size, bool fails)
        : count_(count), piece_(size, 'x'), fails_(fails) {}

    awaitable<void> operator()(unicoro::response_writer& out) const {
        return write(out, count_, piece_, fails_);
    }

  private:
    static awaitable<void> write(
        unicoro::response_writer& out, std::size_t count, std::string piece, bool fails
    ) {
        for (std::size_t i = 0; i < count; ++i) co_await out.write(piece);
        if (fails) throw std::runtime_error("thrown in the middle of a body");
    }

    std::size_t count_;
    std::string piece_;
    bool fails_;
};

awaitable<response> stream(request& asked) {
    const bool fails = asked.query_parameter("fails").has_value();
    unicoro::response::body_stream body = pieces(number(asked, "count"), number(asked, "size"), fails);
    co_return response::stream("text/plain", std::move(body));
}

int ticks = 0;

awaitable<void> count_ticks() {
    for (;;) {
        co_await unicoro::sleep_for(std::chrono::milliseconds(5));
        ++ticks;
    }
}

awaitable<response> background(request&) {
    co_return response::text(std::to_string(ticks));
}

awaitable<response> print(request& asked) {
    const std::string line = parameter(asked, "line") + "\n";
    const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
    co_return response::text(std::to_string(written));
}

awaitable<response> where(request& asked) {
    co_return response::text(asked.mount() + " " + std::string(asked.path()));
}

std::string notes;

// Reads the body beside the handler, and notes how it ended.
awaitable<void> read_beside(request& asked) {
    const std::string name = parameter(asked, "name");
    try {
        const std::string body = co_await asked.body().read_all(std::size_t{64} << 20);
        notes += name + " read " + std::to_string(body.size()) + "\n";
    } catch (const boost::system::system_error& error) {
        notes += name + " of " + std::string(asked.path()) + ": " + error.code().message() + "\n";
    }
}

awaitable<void> pass_gate(std::string path) {
    gate held(path);
    co_await held.pass();
}

// Answers, or throws, while the body is still being read.
awaitable<response> beside(request& asked) {
    asked.spawn("a read beside the handler", read_beside(asked));
    if (asked.query_parameter("gate")) co_await pass_gate(parameter(asked, "gate"));
    if (asked.query_parameter("throw")) throw std::runtime_error("thrown beside a reader");
    co_return response::text("early");
}

awaitable<void> write_dots(unicoro::response_writer& out, std::shared_ptr<int> left) {
    while (*left > 0) {
        co_await unicoro::sleep_for(std::chrono::milliseconds(1));
        co_await out.write(".");
    }
}

awaitable<void> drain(request& asked, std::shared_ptr<int> left) {
    std::string piece(4096, '\0');
    std::size_t got = 1;
    while (got > 0) got = co_await asked.body().read_some(piece);
    *left = 0;
}

// A dot now and then while the body is read.
awaitable<response> progress(request& asked) {
    auto left = std::make_shared<int>(1);
    asked.spawn("the upload", drain(asked, left));
    unicoro::response::body_stream body = [left](unicoro::response_writer& out) {
        return write_dots(out, left);
    };
    co_return response::stream("text/plain", std::move(body));
}

// Nobody listens on port 1.
awaitable<void> connect_to_nobody() {
    const auto here = co_await boost::asio::this_coro::executor;
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, unicoro::executor> socket(here);
    const boost::asio::ip::tcp::endpoint nobody(boost::asio::ip::address_v4::loopback(), 1);
    co_await socket.async_connect(nobody, unicoro::use_awaitable);
}

awaitable<response> connect_and_fail(request&) {
    co_await connect_to_nobody();
    co_return response();
}

awaitable<void> start_to_fail(unicoro::worker_handle& worker) {
    worker.spawn("a task that refuses", connect_to_nobody());
    co_return;
}

awaitable<response> show_notes(request&) {
    co_return response::text(notes);
}

using handler = awaitable<response> (*)(request&);

const std::map<std::string_view, handler> pages{
    {"/pid", pid},
    {"/environ", environment},
    {"/cwd", folder},
    {"/echo", echo},
    {"/hold", hold},
    {"/admitted", admitted},
    {"/report", admitted},
    {"/login", admitted},
    {"/health", admitted},
    {"/block", block},
    {"/hold-the-loop", hold_the_loop},
    {"/sleep-on-the-loop", sleep_on_the_loop},
    {"/crash", crash},
    {"/exit", leave},
    {"/throw", raise_exception},
    {"/zeros", zeros},
    {"/status", status},
    {"/header", header},
    {"/file", file},
    {"/stream", stream},
    {"/background", background},
    {"/print", print},
    {"/where", where},
    {"/beside", beside},
    {"/progress", progress},
    {"/notes", show_notes},
    {"/connect", connect_and_fail},
};

awaitable<response> handle(request& asked) {
    const auto page = pages.find(asked.path());
    if (page == pages.end()) return pid(asked);
    return page->second(asked);
}

awaitable<void> start(unicoro::worker_handle& worker) {
    worker.spawn("ticks", count_ticks());
    co_return;
}

awaitable<void> stop(unicoro::worker_handle&) {
    const std::string note = variable("PROBE_STOPPED");
    if (!note.empty()) std::ofstream(note, std::ios::app) << getpid() << '\n';
    co_return;
}

awaitable<void> fail_to_start(unicoro::worker_handle&) {
    throw std::runtime_error("the probe does not want to start");
    co_return;
}

awaitable<void> exit_at_start(unicoro::worker_handle&) {
    _exit(9);
    co_return;
}

awaitable<void> take_signal(unicoro::worker_handle&) {
    signal(SIGRTMAX, [](int) { _exit(7); });
    co_return;
}

awaitable<void> start_through_gate(unicoro::worker_handle&) {
    gate held(variable("PROBE_GATE"));
    co_await held.pass();
}

awaitable<void> block_at_start(unicoro::worker_handle&) {
    gate held(variable("PROBE_GATE"));
    held.block();
    co_return;
}

// So that a test can break the application between two loads.
awaitable<void> start_unless_broken(unicoro::worker_handle&) {
    if (std::filesystem::exists(variable("PROBE_BROKEN"))) {
        throw std::runtime_error("the probe was broken by the test");
    }
    co_return;
}

}  // namespace
}  // namespace probe

// In braces after extern "C" a const object would stay inside this file.
extern "C" const unicoro::application app{
    .handle = probe::handle, .start = probe::start, .stop = probe::stop
};
extern "C" const unicoro::application no_start{.handle = probe::handle, .start = probe::fail_to_start};
extern "C" const unicoro::application exits{.handle = probe::handle, .start = probe::exit_at_start};
extern "C" const unicoro::application refused{.handle = probe::handle, .start = probe::start_to_fail};
extern "C" const unicoro::application takes_signal{.handle = probe::handle, .start = probe::take_signal};
extern "C" const unicoro::application gated{.handle = probe::handle, .start = probe::start_through_gate};
extern "C" const unicoro::application stuck{.handle = probe::handle, .start = probe::block_at_start};
extern "C" const unicoro::application breakable{.handle = probe::handle, .start = probe::start_unless_broken};
extern "C" const unicoro::application no_handler{};
extern "C" const unicoro::application other_abi{.abi = "api 0; another compiler", .handle = probe::handle};
extern "C" const int not_an_application[16] = {1, 2, 3};
