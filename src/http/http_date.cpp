// SPDX-License-Identifier: MIT
#include "http/http_date.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace unicoro::http {
namespace {

constexpr std::array day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array month_names{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/// Takes a date apart from its front; once something is not as it must be, `failed` stays true.
class scanner {
  public:
    explicit scanner(std::string_view text) noexcept : left_(text) {}

    int number(std::size_t digits) noexcept {
        const auto value = base::parse_integer<unsigned>(take(digits));
        if (!value) failed_ = true;
        return static_cast<int>(value.value_or(0));
    }

    unsigned month() noexcept {
        const auto known =
            std::ranges::find(month_names, take(3), [](const char* name) { return std::string_view(name); });
        if (known == month_names.end()) failed_ = true;
        return static_cast<unsigned>(known - month_names.begin()) + 1;
    }

    void expect(std::string_view text) noexcept {
        if (take(text.size()) != text) failed_ = true;
    }

    std::string_view take(std::size_t count) noexcept {
        if (left_.size() < count) failed_ = true;
        const std::string_view taken = left_.substr(0, count);
        left_.remove_prefix(taken.size());
        return taken;
    }

    [[nodiscard]] bool starts_with(char byte) const noexcept { return left_.starts_with(byte); }
    [[nodiscard]] bool complete() const noexcept { return !failed_ && left_.empty(); }

  private:
    std::string_view left_;
    bool failed_ = false;
};

struct parts {
    int year = 0;
    unsigned month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_time(scanner& from, parts& into) noexcept {
    into.hour = from.number(2);
    from.expect(":");
    into.minute = from.number(2);
    from.expect(":");
    into.second = from.number(2);
}

bool read_imf(scanner from, parts& into) noexcept {
    from.take(3);
    from.expect(", ");
    into.day = from.number(2);
    from.expect(" ");
    into.month = from.month();
    from.expect(" ");
    into.year = from.number(4);
    from.expect(" ");
    read_time(from, into);
    from.expect(" GMT");
    return from.complete();
}

// Two digits of a year that would lie more than 50 years ahead are of the century before.
int whole_year(int digits) noexcept {
    const std::chrono::sys_days today =
        std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const int now = static_cast<int>(std::chrono::year_month_day(today).year());
    const int year = now - now % 100 + digits;
    return year > now + 50 ? year - 100 : year;
}

bool read_rfc850(scanner from, parts& into) noexcept {
    into.day = from.number(2);
    from.expect("-");
    into.month = from.month();
    from.expect("-");
    into.year = whole_year(from.number(2));
    from.expect(" ");
    read_time(from, into);
    from.expect(" GMT");
    return from.complete();
}

bool read_asctime(scanner from, parts& into) noexcept {
    from.take(3);
    from.expect(" ");
    into.month = from.month();
    from.expect(" ");
    if (from.starts_with(' ')) {
        from.take(1);
        into.day = from.number(1);
    } else {
        into.day = from.number(2);
    }
    from.expect(" ");
    read_time(from, into);
    from.expect(" ");
    into.year = from.number(4);
    return from.complete();
}

}  // namespace

std::string imf_fixdate(std::int64_t unix_seconds) {
    using namespace std::chrono;
    const sys_seconds at{seconds{unix_seconds}};
    const sys_days day = floor<std::chrono::days>(at);
    const year_month_day date{day};
    const hh_mm_ss<seconds> time{at - day};
    std::array<char, 48> text;
    const int length = std::snprintf(
        text.data(),
        text.size(),
        "%s, %02u %s %04d %02d:%02d:%02d GMT",
        day_names[weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()),
        month_names[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()),
        static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count())
    );
    return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<std::int64_t> read_date(std::string_view text) noexcept {
    parts found;
    const std::size_t comma = text.find(", ");
    const bool known = comma == 3                        ? read_imf(scanner(text), found)
                       : comma != std::string_view::npos ? read_rfc850(scanner(text.substr(comma + 2)), found)
                                                         : read_asctime(scanner(text), found);
    using namespace std::chrono;
    const year_month_day date{year{found.year}, month{found.month}, day{static_cast<unsigned>(found.day)}};
    // A leap second is the last of its minute.
    if (!known || !date.ok() || found.hour > 23 || found.minute > 59 || found.second > 60)
        return std::nullopt;
    const sys_seconds at = sys_days{date} + hours{found.hour} + minutes{found.minute} + seconds{found.second};
    return at.time_since_epoch().count();
}

}  // namespace unicoro::http
