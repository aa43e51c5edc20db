// SPDX-License-Identifier: MIT
// The native application of the torture suite: the last segment of the path names the act.
#include "ask.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#ifdef __SANITIZE_ADDRESS__
// g++ has the function, and no header for it.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <fstream>
#endif

namespace torture {
namespace {

unsigned long number(request& asked, std::string_view name, unsigned long otherwise) {
    const auto text = asked.query_parameter(name);
    return text ? std::strtoul(text->c_str(), nullptr, 10) : otherwise;
}

std::uint32_t adler32(std::string_view bytes) {
    std::uint32_t low = 1;
    std::uint32_t high = 0;
    for (const char each : bytes) {
        low = (low + static_cast<unsigned char>(each)) % 65521;
        high = (high + low) % 65521;
    }
    return high << 16 | low;
}

std::size_t allocated() {
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
#endif
}

response report() {
    return response::json(
        "{\"pid\": " + std::to_string(getpid()) + ", \"allocated\": " + std::to_string(allocated()) +
        ", \"objects\": 0}"
    );
}

awaitable<response> handle(request& asked) {
    const ask wanted(asked);
    if (wanted.act == "report") co_return report();
    const acts& known = asked.wants_websocket() ? websocket_acts : http_acts;
    const auto act = known.find(wanted.act);
    if (act == known.end()) co_return response::text("no such act\n", 404);
    co_return co_await act->second(asked, wanted);
}

awaitable<void> start(unicoro::worker_handle& worker) {
    worker.spawn("chatter", chatter());
    co_return;
}

}  // namespace

ask::ask(request& asked)
    : mark(asked.query_parameter("m").value_or("none")),
      act(asked.path().substr(asked.path().rfind('/') + 1)),
      status(static_cast<int>(number(asked, "s", 200))),
      count(number(asked, "n", 1)),
      size(number(asked, "z", 10)),
      pause(number(asked, "w", 0)),
      variant(static_cast<unsigned>(number(asked, "v", 0))) {}

std::string ask::piece(std::size_t index) const {
    std::array<char, 24> digits;
    std::snprintf(digits.data(), digits.size(), ".%06zu;", index);
    const std::string unit = mark + digits.data();
    std::string made;
    made.reserve(size + unit.size());
    while (made.size() < size) made += unit;
    made.resize(size);
    return made;
}

std::string ask::pieces() const {
    std::string made;
    for (std::size_t index = 0; index < count; ++index) made += piece(index);
    return made;
}

std::string ask::reading(std::string_view body) const {
    std::array<char, 64> text;
    std::snprintf(text.data(), text.size(), " read %zu %08x\n", body.size(), adler32(body));
    return mark + text.data();
}

response ask::marked(response answer) const {
    answer.add_header("X-Mark", mark);
    answer.add_header("Set-Cookie", "mark=" + mark);
    return answer;
}

}  // namespace torture

extern "C" const unicoro::application app{.handle = torture::handle, .start = torture::start};
