// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace unicoro::settings {

using json = nlohmann::json;
using ordered_json = nlohmann::ordered_json;

/// What is wrong with a value; `path` is the JSON pointer of the part inside it ("" = all of it).
struct fault {
    std::string path;
    std::string text;
};

/// One kind of value: how it is read, checked and described. Stateless after construction.
class value_type {
  public:
    value_type() = default;
    value_type(const value_type&) = delete;
    value_type& operator=(const value_type&) = delete;
    virtual ~value_type() = default;

    /// Puts the canonical form of what a layer wrote into `value`, or adds what is wrong to
    /// `faults`. The command line writes strings, and arrays of strings for flags that may be
    /// repeated.
    virtual void read(const json& written, json& value, std::vector<fault>& faults) const = 0;

    /// Completes the sentence "must be ...".
    [[nodiscard]] virtual std::string rule() const = 0;

    /// Adds the JSON Schema of the forms an editor should offer.
    virtual void describe(ordered_json& schema) const = 0;
};

/// The fault of a value that breaks a rule: "must be <rule>, not <written>".
[[nodiscard]] fault rejected(const json& written, const std::string& rule, std::string path = {});

/// A pattern of JSON Schema, which has no flag for it: one of the words in any case, with blanks around it.
[[nodiscard]] std::string in_any_case(const std::vector<std::string_view>& words);

}  // namespace unicoro::settings
