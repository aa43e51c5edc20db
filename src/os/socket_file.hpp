// SPDX-License-Identifier: MIT
#pragma once

#include "base/parent_folder.hpp"
#include "os/failure.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

namespace unicoro::os {

/// Who may use the file of a unix socket.
struct file_rights {
    mode_t umask = 0;
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};

/// The file that bind(2) makes for a unix socket. It is held by descriptors of itself and of its folder:
/// whatever others put in its place or in its way, nothing else is given to them or removed.
class socket_file {
  public:
    /// Makes the file. A socket file nobody answers on is replaced; one that is answered, any other
    /// file, and a way on which others can lead root elsewhere are errors.
    [[nodiscard]] static outcome<socket_file> bind(
        int socket_fd, const std::string& path, const file_rights& rights
    );

    /// Goes on with the file of a socket that was bound before, by another process or another program in
    /// this one. Fails with ESTALE where it does not stand at the path any more.
    [[nodiscard]] static outcome<socket_file> resume(int socket_fd, const std::string& path);

    [[nodiscard]] error_code give(const file_rights& rights) const noexcept;

    /// Removes the file if it still stands where it was made.
    void remove() const noexcept;

  private:
    explicit socket_file(base::parent_folder folder) noexcept : folder_(std::move(folder)) {}

    [[nodiscard]] result<socket_address> address(const std::string& path) const noexcept;
    [[nodiscard]] outcome<void> remove_stale(const std::string& path) const;
    [[nodiscard]] error_code take_hold(int socket_fd) noexcept;
    [[nodiscard]] bool stands(const unique_fd& file) const noexcept;

    base::parent_folder folder_;
    unique_fd file_;
};

}  // namespace unicoro::os
