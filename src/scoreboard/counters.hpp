// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace unicoro::scoreboard {

/// What a bucket of a histogram holds at most, in nanoseconds: OpenTelemetry's for
/// http.server.request.duration. One more holds what is beyond.
inline constexpr std::array<std::int64_t, 14> bucket_bounds{
    5'000'000,
    10'000'000,
    25'000'000,
    50'000'000,
    75'000'000,
    100'000'000,
    250'000'000,
    500'000'000,
    750'000'000,
    1'000'000'000,
    2'500'000'000,
    5'000'000'000,
    7'500'000'000,
    10'000'000'000
};
inline constexpr std::size_t buckets = bucket_bounds.size() + 1;

/// Whose requests are counted apart: the server's own answers, those of so many applications by the path
/// they are mounted at, and all others.
inline constexpr std::size_t named_rows = 16;
inline constexpr std::size_t row_of_server = 0;
inline constexpr std::size_t row_of_others = named_rows + 1;
inline constexpr std::size_t request_rows = named_rows + 2;

/// 1xx to 5xx.
inline constexpr std::size_t status_classes = 5;

/// What only grows, one number each.
enum class counter : std::size_t {
    shed,            ///< requests answered 503 for want of a place
    bytes_received,  ///< of requests, heads and bodies, as they came out of TLS
    bytes_sent,      ///< of response bodies, and of WebSockets what was sent
    connections,     ///< accepted
    tls_handshakes,  ///< completed
    tls_failures,
    websockets,        ///< accepted
    interpreter_wait,  ///< nanoseconds in which the loop waited for the GIL
};
inline constexpr std::size_t counters = static_cast<std::size_t>(counter::interpreter_wait) + 1;

/// What is measured: a histogram each.
enum class timing : std::size_t {
    duration,  ///< of requests, from their head to their end
    queue,     ///< before the application saw them; only where that is measured
    loop_lag,  ///< how late the loop came to its heartbeat
};
inline constexpr std::size_t timings = static_cast<std::size_t>(timing::loop_lag) + 1;

/// Places of all those in one row of words: requests, histograms with the sum of each, the rest.
[[nodiscard]] constexpr std::size_t place_of_requests(std::size_t row, std::size_t status_class) noexcept {
    return row * status_classes + status_class;
}
[[nodiscard]] constexpr std::size_t place_of_bucket(timing what, std::size_t bucket) noexcept {
    return request_rows * status_classes + static_cast<std::size_t>(what) * (buckets + 1) + bucket;
}
[[nodiscard]] constexpr std::size_t place_of_sum(timing what) noexcept {
    return place_of_bucket(what, buckets);
}
[[nodiscard]] constexpr std::size_t place_of(counter what) noexcept {
    return request_rows * status_classes + timings * (buckets + 1) + static_cast<std::size_t>(what);
}
inline constexpr std::size_t counter_words =
    request_rows * status_classes + timings * (buckets + 1) + counters;

/// Places whose values are sums of nanoseconds or bytes, of which one step may be great.
[[nodiscard]] constexpr bool is_sum(std::size_t place) noexcept {
    for (std::size_t each = 0; each < timings; ++each) {
        if (place == place_of_sum(static_cast<timing>(each))) return true;
    }
    return place == place_of(counter::bytes_received) || place == place_of(counter::bytes_sent) ||
           place == place_of(counter::interpreter_wait);
}

/// The bucket of a length of time.
[[nodiscard]] constexpr std::size_t bucket_of(std::int64_t nanoseconds) noexcept {
    std::size_t bucket = 0;
    while (bucket < bucket_bounds.size() && nanoseconds > bucket_bounds[bucket]) ++bucket;
    return bucket;
}

using words = std::array<std::atomic<std::uint64_t>, counter_words>;

/// The one who writes the words of a slot. Worker only, on the loop.
class counting {
  public:
    explicit counting(words& into) noexcept : words_(&into) {}

    void add(counter what, std::uint64_t number = 1) const noexcept { add(place_of(what), number); }

    /// `status` as in a response; what is none counts as a failure of the server.
    void request(std::size_t row, int status) const noexcept {
        const bool known = status >= 100 && status < 600;
        add(place_of_requests(row, known ? static_cast<std::size_t>(status) / 100 - 1 : status_classes - 1),
            1);
    }

    void took(timing what, std::int64_t nanoseconds) const noexcept {
        if (nanoseconds < 0) nanoseconds = 0;
        add(place_of_bucket(what, bucket_of(nanoseconds)), 1);
        add(place_of_sum(what), static_cast<std::uint64_t>(nanoseconds));
    }

  private:
    void add(std::size_t place, std::uint64_t number) const noexcept {
        std::atomic<std::uint64_t>& word = (*words_)[place];
        word.store(word.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
    }

    words* words_;
};

}  // namespace unicoro::scoreboard
