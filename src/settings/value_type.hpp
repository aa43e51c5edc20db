// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <functional>
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

    /// The words that a shell offers for it; mostly none.
    [[nodiscard]] virtual std::vector<std::string_view> words() const;

    /// Adds the JSON Schema of the forms an editor should offer.
    virtual void describe(ordered_json& schema) const = 0;

    /// Puts a number in the place of a word that stands for one at each start, in a canonical value.
    virtual void settle(json& value, const std::function<int()>& count_cpus) const;

    /// What to tell people whose Python file works the value out, in brackets; mostly nothing.
    [[nodiscard]] virtual std::string_view advice() const;

    /// The form a settings file has the canonical value in.
    [[nodiscard]] virtual ordered_json filed(const json& value) const;

    /// True when a value may be an object of a Python file that is told by its name.
    [[nodiscard]] virtual bool may_be_named() const;

    /// True when what a layer wrote names a class of Python that nobody here knows, so that Python must be
    /// asked about it.
    [[nodiscard]] virtual bool names_class(const json& written) const;

    /// Looks at the class that `written`, at `where`, names. `lineage` describes it and what it is derived
    /// from, nearest first: [["module.Class", ["name it defines", ...]], ...]. A worker class becomes the
    /// known one among its bases. What it overrides in vain is said in `warnings`, what is no such class in
    /// `errors`.
    virtual void adopt(
        json& written,
        const std::string& where,
        const json& lineage,
        std::vector<std::string>& warnings,
        std::vector<std::string>& errors
    ) const;

    /// True when `read` finds nothing wrong with it.
    [[nodiscard]] bool accepts(const json& written) const;
};

/// The fault of a value that breaks a rule: "must be <rule>, not <written>".
[[nodiscard]] fault rejected(const json& written, const std::string& rule, std::string path = {});

/// A pattern of JSON Schema, which has no flag for it: one of the words in any case, with blanks around it.
[[nodiscard]] std::string in_any_case(const std::vector<std::string_view>& words);

}  // namespace unicoro::settings
