// SPDX-License-Identifier: MIT
#include "os/temporary_file.hpp"

#include "os/failure.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace unicoro::os {

result<unique_fd> open_temporary_file() {
    const char* const chosen = std::getenv("TMPDIR");
    const std::string folder = chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
    const int nameless = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (nameless >= 0) return unique_fd(nameless);
    // Some file systems (overlayfs, NFS) have no O_TMPFILE.
    std::string name = folder + "/unicoro-XXXXXX";
    const int named = ::mkostemp(name.data(), O_CLOEXEC);
    if (named < 0) return last_error();
    ::unlink(name.c_str());
    return unique_fd(named);
}

}  // namespace unicoro::os
