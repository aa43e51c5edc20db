// SPDX-License-Identifier: MIT
#include "python/wsgi/greenlets/greenlet_call.hpp"

#include "log/log.hpp"
#include "python/runtime/gil.hpp"
#include "python/runtime/greenlet_api.hpp"
#include "python/runtime/interpreter.hpp"
#include "python/runtime/py_ref.hpp"
#include "python/runtime/python_place.hpp"
#include "python/runtime/traceback.hpp"
#include "python/wsgi/greenlets/greenlet_runner.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace unicoro::python {
namespace {

// What a read and a write count at least: many small ones take as long as a large one.
constexpr std::size_t least_cost = 64 * 1024;
constexpr std::size_t least_written = 16 * 1024;

std::optional<std::uint64_t> length_of(const http::request_head& head) noexcept {
    if (head.framing != http::body_framing::length) return std::nullopt;
    return head.content_length;
}

}  // namespace

class greenlet_call::read_in_flight {
  public:
    explicit read_in_flight(greenlet_call& call) noexcept : call_(&call) {
        call_->reading_ = true;
        call_->arriving_.lend();
    }
    read_in_flight(read_in_flight&&) noexcept = default;
    read_in_flight& operator=(read_in_flight&&) = delete;
    ~read_in_flight() {
        if (!call_) return;
        call_->reading_ = false;
        call_->arriving_.give_back();
        call_->runner_.wake(call_);
    }
    [[nodiscard]] greenlet_call& call() const noexcept { return *call_; }

  private:
    greenlet_call_ptr call_;
};

greenlet_call::greenlet_call(
    greenlet_runner& runner, wsgi_runtime& runtime, app::exchange& request, request_body body
)
    : attended_call(runner.context(), runtime, request, std::move(body)),
      runner_(runner),
      arriving_(length_of(request.head())) {}

greenlet_call::~greenlet_call() {
    if (!interpreter::running()) {
        [[maybe_unused]] PyObject* const lost[] = {greenlet_.release(), hub_.release(), owner_.release()};
        arriving_.abandon();
        return;
    }
    if (!greenlet_ && !hub_ && !owner_ && !arriving_.has_memory()) return;
    const gil_lock gil;
    greenlet_.reset();
    hub_.reset();
    owner_.reset();
    arriving_.drop_memory();
}

void greenlet_call::hand_over() {
    runner_.begin(greenlet_call_ptr(this));
}

awaitable<void> greenlet_call::run_errand(app::exchange& request) {
    awaitable<error_code> sending = begun_ ? request.write_rest() : request.write(piece_);
    const error_code failed = co_await std::move(sending);
    if (failed) write_failure_ = failed;
    writing_ = false;
    ++written_;
    runner_.wake(greenlet_call_ptr(this));
}

void greenlet_call::leave() {
    const greenlet_call_ptr self(this);
    if (finished_) return runner_.wake(self);
    request_.detach();
    runner_.cancel(self);
}

awaitable<void> greenlet_call::read_some(read_in_flight here, app::exchange& request) {
    greenlet_call& call = here.call();
    call.at_once_ = most_at_once;
    do {
        const std::span<char> into = call.arriving_.room(call.at_once_);
        if (into.empty()) break;
        const result<std::size_t> got = co_await request.read_body(into);
        call.note_read(got);
    } while (!call.has_come(call.awaited_));
    call.at_once_ = most_at_once;
}

void greenlet_call::note_read(const result<std::size_t>& got) noexcept {
    if (!got) {
        read_failure_ = got.error();
        return;
    }
    arriving_.came(*got);
    at_once_ -= std::min(at_once_, std::max(*got, least_cost));
}

bool greenlet_call::has_come(std::size_t least) const noexcept {
    return read_failure_ || arriving_.complete() || arriving_.size() >= least;
}

void greenlet_call::resume() {
    resuming_.swap(waiting_);
    while (!resuming_.empty()) {
        const py_ref next = std::move(resuming_.front());
        resuming_.erase(resuming_.begin());
        const py_ref came_back = greenlet_api::switch_to(next.get());
        if (!came_back) switch_failed();
    }
}

void greenlet_call::interrupt(PyObject* exception) {
    if (finished_ || !greenlet_) return;
    interrupted_ = true;
    const py_ref where = py_ref::borrow(greenlet_.get());
    const py_ref came_back = greenlet_api::throw_into(where.get(), exception);
    if (!came_back) switch_failed();
}

void greenlet_call::end() {
    finished_ = true;
    bell_.set();
}

void greenlet_call::run(PyObject* greenlet, PyObject* hub) {
    if (request_.detached()) return;
    thread_ = PyThread_get_thread_ident();
    greenlet_ = py_ref::borrow(greenlet);
    hub_ = py_ref::borrow(hub);
    run_application();
    greenlet_.reset();
    hub_.reset();
    end();
}

bool greenlet_call::write(std::string_view piece, PyObject* owner) {
    const greenlet_call_ptr self(this);
    if (!in_thread()) return false;
    while (going_on() && writing_) {
        if (!park()) return false;
    }
    if (!going_on()) return false;
    const std::optional<error_code> outcome = write_at_once(piece);
    if (outcome) {
        if (*outcome) write_failure_ = *outcome;
        return !write_failure_ || refuse_gone(write_failure_);
    }
    piece_ = piece;
    owner_ = py_ref::borrow(owner);
    writing_ = true;
    const std::uint64_t mine = written_ + 1;
    bell_.set();
    while (written_ < mine) {
        if (!park()) return false;
        if (written_ < mine && !going_on()) return false;
    }
    return !write_failure_ || refuse_gone(write_failure_);
}

bool greenlet_call::hint(const http::response_head& hints) {
    if (!in_thread()) return false;
    if (!finished_ && !writing_) request_.hint(hints);
    return true;
}

// What there is room for; nothing when the coroutine must go on.
std::optional<error_code> greenlet_call::write_at_once(std::string_view piece) {
    begun_ = written_at_once_ < most_at_once;
    if (!begun_) {
        written_at_once_ = 0;
        return std::nullopt;
    }
    written_at_once_ += std::max(piece.size(), least_written);
    const std::optional<error_code> outcome = request_.try_write(piece);
    if (!outcome) written_at_once_ = 0;
    return outcome;
}

py_ref greenlet_call::read(std::size_t least, std::size_t most) {
    const greenlet_call_ptr self(this);
    if (!in_thread()) return {};
    for (;;) {
        if (!going_on()) return {};
        if (arriving_.size() >= least || arriving_.complete()) return arriving_.take(most);
        if (read_failure_) {
            body_failure_ = read_failure_;
            PyErr_Format(
                PyExc_ConnectionError,
                "the request body could not be read: %s",
                body_failure_.message().c_str()
            );
            return {};
        }
        if (!reading_ && !read_on(least)) return {};
        if (!reading_) continue;
        // What it brings for somebody who is interrupted is there for the next one.
        awaited_ = std::min(awaited_, least);
        if (!park()) return {};
    }
}

// Reads what is there at once, or begins to wait for it. False with MemoryError.
bool greenlet_call::read_on(std::size_t least) {
    while (at_once_ > 0) {
        if (!arriving_.make_room(least)) return false;
        const std::optional<result<std::size_t>> got = request_.try_read_body(arriving_.room(at_once_));
        if (!got) break;
        note_read(*got);
        if (has_come(least)) return true;
    }
    if (!arriving_.make_room(least)) return false;
    awaited_ = least;
    read_in_flight here(*this);
    request_.nursery().spawn("a body read", read_some(std::move(here), request_.real()));
    return true;
}

bool greenlet_call::in_thread() const {
    if (PyThread_get_thread_ident() == thread_) return true;
    PyErr_SetString(
        PyExc_RuntimeError, "a request can be read and written in the thread of its greenlet alone"
    );
    return false;
}

bool greenlet_call::going_on() const {
    return (!request_.detached() && !finished_) || refuse_over();
}

bool greenlet_call::park() {
    const py_ref current = greenlet_api::current();
    if (current.get() == hub_.get()) {
        PyErr_SetString(PyExc_RuntimeError, "a request cannot be read or written in the hub: it would wait");
        return false;
    }
    const py_ref hub = py_ref::borrow(hub_.get());
    waiting_.push_back(py_ref::borrow(current.get()));
    const py_ref came_back = greenlet_api::switch_to(hub.get());
    // Where something else has switched to it or raised in it, it waits here no more.
    for (std::vector<py_ref>* line : {&waiting_, &resuming_}) {
        std::erase_if(*line, [&](const py_ref& each) { return each.get() == current.get(); });
    }
    return static_cast<bool>(came_back);
}

std::string greenlet_call::stack() const {
    if (!greenlet_ || !interpreter::running()) return {};
    const gil_lock gil;
    const py_ref frame = py_ref::steal(PyObject_GetAttrString(greenlet_.get(), "gr_frame"));
    return frame ? describe_stack(frame.get()) : std::string();
}

std::shared_ptr<app::code_place> greenlet_call::place() {
    return greenlet_ ? place_of("greenlet", greenlet_.get()) : nullptr;
}

void switch_failed() {
    if (interpreter::forked_away()) interpreter::leave_forked();
    log::error("a request's greenlet failed\n{}", describe_exception(take_exception().get()));
}

}  // namespace unicoro::python
