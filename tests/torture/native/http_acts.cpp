// SPDX-License-Identifier: MIT
#include "ask.hpp"

#include <sys/mman.h>

#include <array>
#include <fstream>
#include <utility>

namespace torture {
namespace {

constexpr std::size_t whole_body = std::size_t{64} << 20;

response whole(const ask& wanted, std::string body) {
    return wanted.marked(response::text(std::move(body), wanted.status));
}

awaitable<response> plain(request& asked, ask wanted) {
    const std::string body = co_await asked.body().read_all(whole_body);
    co_return whole(wanted, wanted.reading(body) + wanted.pieces());
}

awaitable<response> slow(request& asked, ask wanted) {
    co_await unicoro::sleep_for(wanted.pause);
    co_return co_await plain(asked, std::move(wanted));
}

awaitable<response> hinted(request& asked, ask wanted) {
    for (std::size_t index = 0; index < wanted.count; ++index) {
        const std::string link = wanted.piece(index);
        asked.early_hints({{"Link", link}});
        co_await unicoro::sleep_for(wanted.pause);
    }
    co_return co_await plain(asked, std::move(wanted));
}

awaitable<response> early(request&, ask wanted) {
    co_return whole(wanted, wanted.pieces());
}

awaitable<response> partial(request& asked, ask wanted) {
    std::array<char, 1000> into;
    const std::size_t got = co_await asked.body().read_some(into);
    co_return whole(wanted, wanted.reading({into.data(), got}) + wanted.pieces());
}

awaitable<response> fail_first(request& asked, ask wanted) {
    std::array<char, 100> into;
    if (wanted.variant % 2 != 0) co_await asked.body().read_some(into);
    co_await unicoro::sleep_for(wanted.pause);
    throw on_purpose("OnPurpose " + wanted.mark);
    co_return response();
}

/// Keeps the failure that it meets to itself, and answers.
awaitable<response> stubborn(request& asked, ask wanted) {
    for (int turn = 0; turn < 2; ++turn) {
        try {
            co_await unicoro::sleep_for(wanted.pause);
            std::array<char, 100> into;
            co_await asked.body().read_some(into);
        } catch (const boost::system::system_error&) {
            continue;
        }
    }
    co_return whole(wanted, wanted.pieces());
}

enum class end : bool { good, failure };

awaitable<void> write_pieces(unicoro::response_writer& out, ask wanted, end how) {
    for (std::size_t index = 0; index < wanted.count; ++index) {
        if (wanted.pause.count() > 0) co_await unicoro::sleep_for(wanted.pause);
        const std::string piece = wanted.piece(index);
        co_await out.write(piece);
    }
    if (how == end::failure) throw on_purpose("OnPurpose " + wanted.mark);
}

awaitable<void> echo_body(unicoro::response_writer& out, request* asked) {
    std::array<char, 8192> bytes;
    for (;;) {
        const std::size_t got = co_await asked->body().read_some(bytes);
        if (got == 0) co_return;
        const std::string_view piece(bytes.data(), got);
        co_await out.write(piece);
    }
}

response streamed(const ask& wanted, response::body_stream body, const char* type = "text/plain") {
    response answer = response::stream(type, std::move(body));
    return wanted.marked(std::move(answer));
}

awaitable<response> stream(request&, ask wanted) {
    response::body_stream body = [wanted](unicoro::response_writer& out) {
        return write_pieces(out, wanted, end::good);
    };
    co_return streamed(wanted, std::move(body));
}

awaitable<void> write_for_ever(unicoro::response_writer& out, ask wanted) {
    for (std::size_t index = 0;; ++index) {
        const std::string piece = wanted.piece(index);
        co_await out.write(piece);
        co_await unicoro::sleep_for(std::chrono::milliseconds(1));
    }
}

awaitable<response> endless_stream(request&, ask wanted) {
    response::body_stream body = [wanted](unicoro::response_writer& out) {
        return write_for_ever(out, wanted);
    };
    co_return streamed(wanted, std::move(body));
}

awaitable<void> write_events(unicoro::response_writer& out, ask wanted) {
    for (std::size_t index = 0;; ++index) {
        const std::string event = wanted.piece(index) + "\n\n";
        co_await out.write(event);
        co_await unicoro::sleep_for(wanted.pause);
    }
}

awaitable<response> event_stream(request&, ask wanted) {
    response::body_stream body = [wanted](unicoro::response_writer& out) {
        return write_events(out, wanted);
    };
    co_return streamed(wanted, std::move(body), "text/event-stream");
}

/// Ends when the server cancels it.
awaitable<response> endless(request& asked, ask wanted) {
    std::array<char, 1000> into;
    if (wanted.variant % 2 != 0) co_await asked.body().read_some(into);
    co_await unicoro::sleep_for(std::chrono::hours(1));
    co_return response();
}

awaitable<response> fail_late(request&, ask wanted) {
    response::body_stream body = [wanted](unicoro::response_writer& out) {
        return write_pieces(out, wanted, end::failure);
    };
    co_return streamed(wanted, std::move(body));
}

awaitable<response> echo(request& asked, ask wanted) {
    response::body_stream body = [at = &asked](unicoro::response_writer& out) { return echo_body(out, at); };
    co_return streamed(wanted, std::move(body));
}

/// A file that has a path and needs no removal.
std::string make_file() {
    const int fd = memfd_create("torture", MFD_CLOEXEC);
    std::ofstream out("/proc/self/fd/" + std::to_string(fd));
    for (int line = 0; line < 10'000; ++line) out << "file of everybody\n";
    return "/proc/self/fd/" + std::to_string(fd);
}

awaitable<response> file(request&, ask wanted) {
    static const std::string path = make_file();
    response answer = response::file(path);
    co_return wanted.marked(std::move(answer));
}

}  // namespace

const acts http_acts{
    {"plain", plain},
    {"slow", slow},
    {"hinted", hinted},
    {"early", early},
    {"partial", partial},
    {"fail_first", fail_first},
    {"fail_late", fail_late},
    {"stubborn", stubborn},
    {"stream", stream},
    {"endless", endless},
    {"endless_stream", endless_stream},
    {"event_stream", event_stream},
    {"echo", echo},
    {"file", file},
};

}  // namespace torture
