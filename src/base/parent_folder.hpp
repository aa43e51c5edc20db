// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace unicoro::base {

/// The folder of a file, open, and the name of the file in it. What is done relative to the descriptor
/// happens in the folder that was looked at, whatever becomes of the path meanwhile.
///
/// For root, folders on the way that somebody else can write to are shared: there, and below, others
/// decide what stands under a name, so that a symbolic link is not followed. Everyone else goes where
/// the path leads.
class parent_folder {
  public:
    /// What becomes of a symbolic link as the last name of the path.
    enum class last_link { keep, follow };

    struct refusal {
        int error = 0;       ///< an errno
        std::string reason;  ///< for the operator, to follow "cannot open PATH: "
    };

    using outcome = boost::system::result<parent_folder, refusal>;

    /// None.
    parent_folder() noexcept = default;

    /// `follow` concerns links that root alone can have made; in a shared folder the link is kept.
    [[nodiscard]] static outcome of(const std::string& path, last_link at_end);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Others can put something else under this name.
    [[nodiscard]] bool shared() const noexcept { return shared_; }

    /// Others can put another folder in the place of this one, for who goes by the path.
    [[nodiscard]] bool way_is_shared() const noexcept { return way_shared_; }

    /// The path ended in a symbolic link, which was followed.
    [[nodiscard]] bool linked() const noexcept { return linked_; }

    /// The folder is the kernel's (/proc): links in it lead to what a process has open.
    [[nodiscard]] bool of_kernel() const noexcept { return of_kernel_; }

  private:
    friend class path_walk;

    unique_fd fd_;
    std::string name_;
    bool shared_ = false;
    bool way_shared_ = false;
    bool linked_ = false;
    bool of_kernel_ = false;
};

}  // namespace unicoro::base
