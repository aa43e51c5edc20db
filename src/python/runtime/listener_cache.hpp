// SPDX-License-Identifier: MIT
#pragma once

#include "app/exchange.hpp"
#include "python/runtime/py_ref.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unicoro::python {

/// A Python object for each address that connections have come to: what depends on that alone is made
/// once. Bounded, for a wildcard listener has as many addresses as the machine. With the GIL.
class listener_cache {
  public:
    /// Borrowed; null when there is none.
    [[nodiscard]] PyObject* find(const app::connection_info& connection) const noexcept {
        for (const entry& each : entries_) {
            if (each.port == connection.local_port && each.address == connection.local_address) {
                return each.object.get();
            }
        }
        return nullptr;
    }

    /// Keeps it where there is room.
    void keep(const app::connection_info& connection, PyObject* object) {
        if (entries_.size() == most) return;
        entries_.push_back(
            {std::string(connection.local_address), connection.local_port, py_ref::borrow(object)}
        );
    }

  private:
    static constexpr std::size_t most = 64;

    struct entry {
        std::string address;
        std::uint16_t port = 0;
        py_ref object;
    };
    std::vector<entry> entries_;
};

}  // namespace unicoro::python
