// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace unicoro::worker {

class http1_connection;
class http1_exchange;
struct serving;

/// Requests' working memory (buffers, parser, response head), lent to connections while they are
/// busy: an idle connection holds none.
class exchange_pool {
  public:
    explicit exchange_pool(serving& shared);
    ~exchange_pool();

    /// Gives back when destroyed.
    class lease {
      public:
        lease(exchange_pool& pool, std::unique_ptr<http1_exchange> held) noexcept;
        lease(lease&&) noexcept = default;
        lease& operator=(lease&&) = delete;
        ~lease();

        http1_exchange& operator*() const noexcept { return *held_; }
        http1_exchange* operator->() const noexcept { return held_.get(); }

      private:
        exchange_pool* pool_;
        std::unique_ptr<http1_exchange> held_;
    };

    [[nodiscard]] lease take(http1_connection& for_whom);

  private:
    serving& shared_;
    std::vector<std::unique_ptr<http1_exchange>> free_;
};

}  // namespace unicoro::worker
