// SPDX-License-Identifier: MIT
#pragma once

#include "log/access_record.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unicoro::log {

/// An access-log format, compiled once: gunicorn's `%(name)s` text, or "json" for one JSON object
/// per line. Immutable, any thread.
class access_format {
  public:
    /// Compiles `text`. The error says what is wrong, where, and what would be right.
    [[nodiscard]] static boost::system::result<access_format, std::string> compile(std::string_view text);

    /// Appends the line of one request, without a newline. It is one line whatever the values hold.
    void append(std::string& line, const access_record& record) const;

    [[nodiscard]] bool uses_request_fields() const noexcept { return uses_request_fields_; }
    [[nodiscard]] bool uses_response_fields() const noexcept { return uses_response_fields_; }
    [[nodiscard]] bool uses_wait() const noexcept { return uses_wait_; }
    [[nodiscard]] bool uses_first_byte() const noexcept { return uses_first_byte_; }
    [[nodiscard]] bool uses_cpu_time() const noexcept { return uses_cpu_time_; }
    [[nodiscard]] const std::vector<std::string>& environ_names() const noexcept { return environ_names_; }

    /// Names that mean nothing here, each printed as "-": another one may give them a value.
    [[nodiscard]] const std::vector<std::string>& unknown_atoms() const noexcept { return unknown_atoms_; }
    /// A sentence that lists the others.
    [[nodiscard]] static std::string_view known_atoms() noexcept;

    /// Appends a value to a line; `name` is the one in `%({name}i)s`.
    using printer = void (*)(std::string& line, const access_record& record, std::string_view name);

  private:
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    struct piece {
        printer print = nullptr;  ///< nullptr = `text` is printed
        std::string text = {};    ///< a literal, or the name in `%({name}i)s`
        std::size_t width = 0;    ///< values are padded to it
        std::size_t most = npos;  ///< and cut off after it
        bool left = false;        ///< with the padding on the right
        char filler = ' ';
    };
    class compiler;

    access_format() = default;

    std::vector<piece> pieces_;
    std::vector<std::string> environ_names_;
    std::vector<std::string> unknown_atoms_;
    bool uses_request_fields_ = false;
    bool uses_response_fields_ = false;
    bool uses_wait_ = false;
    bool uses_first_byte_ = false;
    bool uses_cpu_time_ = false;
};

}  // namespace unicoro::log
