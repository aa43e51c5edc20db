// SPDX-License-Identifier: MIT
#pragma once

#include "base/poison.hpp"

#include <cstddef>
#include <new>

namespace unicoro::aio {

/// Base of a class whose objects come and go with each request: the memory of some that are gone is
/// kept for the next ones. malloc keeps only seven of a size at hand, and a burst has more in flight.
/// Each thread keeps its own, for good: for a loop's thread, which lasts.
template <class Object>
class recycled {
  public:
    static void* operator new(std::size_t size) {
        if (size != sizeof(Object) || kept_ == nullptr) return ::operator new(size);
        link* const taken = kept_;
        base::unpoison(taken, sizeof(Object));
        kept_ = taken->next;
        --count_;
        return taken;
    }

    static void operator delete(void* memory, std::size_t size) noexcept {
        static_assert(sizeof(Object) >= sizeof(link) && alignof(Object) <= alignof(std::max_align_t));
        if (size != sizeof(Object) || count_ == limit || !base::pools_are_on()) {
            return ::operator delete(memory, size);
        }
        kept_ = ::new (memory) link{kept_};
        ++count_;
        base::poison(memory, sizeof(Object));
    }

  private:
    struct link {
        link* next;
    };

    static constexpr std::size_t limit = 64;

    inline static constinit thread_local link* kept_ = nullptr;
    inline static constinit thread_local std::size_t count_ = 0;
};

}  // namespace unicoro::aio
