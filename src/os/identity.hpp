// SPDX-License-Identifier: MIT
#pragma once

#include "os/failure.hpp"

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace unicoro::os {

/// A user of the system. The name is empty for an id that the user database does not know.
struct user_identity {
    uid_t uid = 0;
    std::string name;
    std::optional<gid_t> primary_group;
    std::string home = "/";
};

/// By name or by number; names win.
[[nodiscard]] outcome<user_identity> find_user(std::string_view text) noexcept;
[[nodiscard]] outcome<gid_t> find_group(std::string_view text) noexcept;

/// Who a process shall become.
struct privileges {
    /// `none` leaves no supplementary group at all; `of_user` those of the user database (initgroups).
    enum class extra_groups { none, of_user };

    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::string user_name;  ///< empty for an id without a name
    std::string home = "/";
    extra_groups groups = extra_groups::none;
};

/// Becomes that user and group for good: supplementary groups first, then group, then user, and checks
/// that the old rights cannot come back. Without rights to change (not root) it succeeds only when
/// nothing would change.
[[nodiscard]] outcome<void> drop_privileges(const privileges& wanted) noexcept;

/// The variables of the environment that tell whose process it is.
inline constexpr std::array identity_variables{"HOME", "USER", "LOGNAME"};

/// Has them tell of the user that `drop_privileges` made of this process.
void show_identity(const privileges& now) noexcept;

}  // namespace unicoro::os
