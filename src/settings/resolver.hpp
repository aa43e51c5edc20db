// SPDX-License-Identifier: MIT
#pragma once

#include "settings/layer.hpp"
#include "settings/settings.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

/// Checks layers, the lowest first, and keeps the last value of each setting.
class resolver {
  public:
    explicit resolver(std::function<int()> count_cpus) : count_cpus_(std::move(count_cpus)) {}

    /// Takes what is right in the layer and reports what is not.
    void apply(const layer& from);

    /// Puts the values in force into a struct full of defaults.
    [[nodiscard]] server_settings settings() const;

    /// What a layer wrote for this setting, in canonical form; nullptr when none did.
    [[nodiscard]] const json* written(const setting& row) const;

    /// Where the value in force was written; the name alone for a default.
    [[nodiscard]] std::string where(std::string_view name) const;

    [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  private:
    struct effective {
        json value;
        origin from;
    };

    void apply(const assignment& given);
    [[nodiscard]] bool permitted(const assignment& given, const json& value);

    std::function<int()> count_cpus_;
    std::map<const setting*, effective> values_;
    std::vector<std::string> errors_;
    std::vector<std::string> warnings_;
};

}  // namespace unicoro::settings
