// SPDX-License-Identifier: MIT
#pragma once

#include "settings/settings.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace unicoro::worker {

/// Who is in the application and who waits for a place in it: decides, and knows neither sockets nor
/// coroutines. Requests wait in lanes, one for each rule and one for those without, so that the queue of one
/// kind cannot fill that of another. A place that becomes free goes at once to the first who may have it.
class admission {
  public:
    using time = std::int64_t;  // nanoseconds of a clock that does not go back
    using clock = time (*)() noexcept;

    struct lane_limits {
        std::size_t most_inside = 0;  ///< 0 = only the common limit
        std::size_t most_waiting = 0;
        settings::request_priority priority = settings::request_priority::normal;
        bool never_shed = false;  ///< inside at once, beside the common limit
    };

    struct limits {
        std::size_t most_inside = 0;              ///< of all lanes; 0 = any number
        std::chrono::nanoseconds most_waited{0};  ///< 0 = no limit
        settings::queue_order order = settings::queue_order::fifo;
    };

    /// A request's place, inside or in line. Lives in its owner; gives the place back when destroyed.
    class ticket : public boost::intrusive::list_base_hook<> {
      public:
        using callback = void (*)(ticket& self, void* owner) noexcept;

        /// `settled` is told when one that waited is in, or will never be. It must not end the ticket.
        ticket(callback settled, void* owner) noexcept : settled_(settled), owner_(owner) {}
        ticket(const ticket&) = delete;
        ticket& operator=(const ticket&) = delete;
        ~ticket() { leave(); }

        [[nodiscard]] bool waits() const noexcept { return stage_ == stage::waiting; }
        [[nodiscard]] bool inside() const noexcept { return stage_ == stage::inside; }
        [[nodiscard]] bool refused() const noexcept { return stage_ == stage::refused; }

        /// Whatever it has, it has no more.
        void leave() noexcept;
        /// One that waits has waited long enough.
        void refuse() noexcept;

      private:
        friend class admission;
        enum class stage : std::uint8_t { none, waiting, inside, refused };

        callback settled_;
        void* owner_;
        admission* gate_ = nullptr;  // while it has a place
        std::size_t lane_ = 0;
        time arrived_ = 0;
        std::uint64_t number_ = 0;
        stage stage_ = stage::none;
    };

    admission(const limits& all, std::vector<lane_limits> lanes, clock now);
    admission(const admission&) = delete;
    admission& operator=(const admission&) = delete;

    /// Asks for a place in the lane of that number, for a request that has waited elsewhere since `arrived`.
    /// Afterwards it is inside, waits or is refused.
    void ask(ticket& who, std::size_t number, time arrived);

    [[nodiscard]] std::size_t inside() const noexcept { return inside_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

  private:
    struct lane {
        lane_limits limits;
        std::size_t inside = 0;
        boost::intrusive::list<ticket> line = {};  // the oldest first

        [[nodiscard]] bool has_room() const noexcept {
            return limits.most_inside == 0 || inside < limits.most_inside;
        }
    };

    [[nodiscard]] bool has_room() const noexcept {
        return limits_.most_inside == 0 || inside_ < limits_.most_inside;
    }
    [[nodiscard]] bool late(const ticket& who, time now) const noexcept;
    [[nodiscard]] bool newest_first(time now) const noexcept;
    void let_in(ticket& who) noexcept;
    void take_out(ticket& who) noexcept;
    void turn_away(ticket& who) noexcept;
    void leave(ticket& who) noexcept;
    [[nodiscard]] ticket* next(bool newest) noexcept;
    void call_next() noexcept;

    limits limits_;
    std::vector<lane> lanes_;
    clock now_;
    time overload_after_;  // the queue has not been empty for this long
    time busy_since_ = 0;  // the queue is not empty
    std::uint64_t numbers_ = 0;
    std::size_t inside_ = 0;
    std::size_t waiting_ = 0;
};

}  // namespace unicoro::worker
