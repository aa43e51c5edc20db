// SPDX-License-Identifier: MIT
#pragma once

#include "http/response_head.hpp"
#include "python/runtime/py_ref.hpp"

#include <unicoro/result.hpp>

#include <cstddef>
#include <string_view>

namespace unicoro::python {

/// The connection of one request as the code of the application sees it, wherever that runs. With the
/// GIL.
class request_io {
  public:
    /// Sends a piece of the response body and waits until the kernel has it. `owner` is kept for as
    /// long as its bytes are needed. False with a Python exception set.
    [[nodiscard]] virtual bool write(std::string_view piece, PyObject* owner) = 0;

    /// Sends early hints, unless the response has begun. False with a Python exception set.
    [[nodiscard]] virtual bool hint(const http::response_head& hints) = 0;

    /// Waits until `least` bytes of the request body have come, one or more, and takes as many as there
    /// are then, `most` at most. Less than `least` = its end. Null with a Python exception set; what had
    /// come by then is there for the next one who reads.
    [[nodiscard]] virtual py_ref read(std::size_t least, std::size_t most) = 0;

    /// Why the request body could not be read; none while it could.
    [[nodiscard]] virtual error_code body_failure() const noexcept = 0;

    /// True when the server ended the request while the application was in it: what the application
    /// raises for that is no news.
    [[nodiscard]] virtual bool cancelled() const noexcept = 0;

    /// True when a write has failed because of the client: the ConnectionError it raises is no news either.
    [[nodiscard]] virtual bool client_gone() const noexcept = 0;

  protected:
    ~request_io() = default;
};

/// What application code meets that writes or reads where nobody is any more: false, with ConnectionError
/// set. The first leaves an exception that is set already.
[[nodiscard]] bool refuse_over() noexcept;
[[nodiscard]] bool refuse_gone(error_code why);

}  // namespace unicoro::python
