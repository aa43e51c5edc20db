// SPDX-License-Identifier: MIT
#include "os/environment.hpp"

#include <cstdlib>

namespace unicoro::os {

void environment_overlay::apply(std::span<const std::pair<std::string, std::string>> variables) {
    restore();
    for (const auto& [name, value] : variables) {
        const char* original = std::getenv(name.c_str());
        originals_.try_emplace(
            name, original == nullptr ? std::nullopt : std::optional<std::string>(original)
        );
        setenv(name.c_str(), value.c_str(), 1);
    }
}

void environment_overlay::restore() noexcept {
    for (const auto& [name, original] : originals_) {
        if (original) {
            setenv(name.c_str(), original->c_str(), 1);
        } else {
            unsetenv(name.c_str());
        }
    }
    originals_.clear();
}

}  // namespace unicoro::os
