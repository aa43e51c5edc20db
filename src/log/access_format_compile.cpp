// SPDX-License-Identifier: MIT
#include "log/access_format.hpp"

#include "log/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace unicoro::log {
namespace {

constexpr std::string_view valid_atoms =
    "valid are h l u t r m U q H s b B f a T D M L p, {name}i (request field), {name}o (response "
    "field) and {name}e (environ)";
constexpr std::size_t widest = 255;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_control(char c) noexcept {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
}

std::string at_position(std::size_t position, std::string_view format) {
    std::string where = fmt::format(" at character {} of '", position + 1);
    append_text(where, format, text_form::one_line);
    return where + '\'';
}

}  // namespace

/// Reads a format from left to right; `error` is set at the first fault.
class access_format::compiler {
  public:
    explicit compiler(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] std::optional<std::string> run(access_format& into) {
        while (at_ < text_.size() && !error_) {
            if (text_[at_] == '%') {
                read_percent(into);
            } else if (is_control(text_[at_])) {
                fail(at_, "the format has a control character; one request is one line");
            } else {
                add_literal(into, text_.substr(at_, 1));
                ++at_;
            }
        }
        return std::move(error_);
    }

  private:
    static void add_literal(access_format& into, std::string_view text) {
        if (into.pieces_.empty() || into.pieces_.back().kind != atom::literal) {
            into.pieces_.emplace_back();
        }
        into.pieces_.back().text.append(text);
    }

    void fail(std::size_t position, std::string_view what) {
        error_ = fmt::format("{}{}", what, at_position(position, text_));
    }

    void read_percent(access_format& into) {
        const std::size_t start = at_++;
        if (at_ < text_.size() && text_[at_] == '%') {
            add_literal(into, "%");
            ++at_;
            return;
        }
        if (at_ >= text_.size() || text_[at_] != '(') {
            fail(start, "a '%' must begin an atom such as '%(h)s'; write '%%' for a percent sign");
            return;
        }
        const std::size_t close = text_.find(')', at_);
        if (close == std::string_view::npos) {
            fail(start, "the atom has no closing ')'");
            return;
        }
        const std::string_view name = text_.substr(at_ + 1, close - at_ - 1);
        at_ = close + 1;
        auto part = read_name(name);
        if (!part) {
            into.unknown_atoms_.emplace_back(name);
            into.pieces_.emplace_back().kind = atom::dash;
            return skip_conversion(start);
        }
        read_conversion(start, *part);
        if (error_) return;
        note_needs(into, *part);
        into.pieces_.push_back(std::move(*part));
    }

    static std::optional<piece> read_name(std::string_view name) {
        static constexpr std::array<std::pair<char, atom>, 19> letters{{
            {'h', atom::remote_address},
            {'l', atom::dash},
            {'u', atom::user},
            {'t', atom::time},
            {'r', atom::request_line},
            {'m', atom::method},
            {'U', atom::path},
            {'q', atom::query},
            {'H', atom::protocol},
            {'s', atom::status},
            {'b', atom::bytes},
            {'B', atom::bytes},
            {'f', atom::referer},
            {'a', atom::user_agent},
            {'T', atom::seconds},
            {'D', atom::microseconds},
            {'M', atom::milliseconds},
            {'L', atom::decimal_seconds},
            {'p', atom::pid},
        }};
        piece found;
        if (name.size() == 1) {
            const auto* const entry = std::find_if(letters.begin(), letters.end(), [&](const auto& e) {
                return e.first == name[0];
            });
            if (entry == letters.end()) return std::nullopt;
            found.kind = entry->second;
            return found;
        }
        if (name.size() < 4 || name.front() != '{' || name[name.size() - 2] != '}') {
            return std::nullopt;
        }
        switch (name.back()) {
            case 'i': found.kind = atom::request_field; break;
            case 'o': found.kind = atom::response_field; break;
            case 'e': found.kind = atom::environ; break;
            default: return std::nullopt;
        }
        found.text = name.substr(1, name.size() - 3);
        return found;
    }

    /// What Python lets follow the name; who gives the atom a value knows which.
    void skip_conversion(std::size_t start) {
        at_ = std::min(text_.find_first_not_of("-+ #0123456789.", at_), text_.size());
        constexpr std::string_view conversions = "diouxXeEfFgGcrsa%";
        const bool known = at_ < text_.size() && conversions.find(text_[at_]) != std::string_view::npos;
        ++at_;
        if (!known) fail(start, "the atom must end in 's', as '%(h)s'");
    }

    /// What follows the name: `s`, or `d` for the whole numbers, with Python's flags, width and precision
    /// before.
    void read_conversion(std::size_t start, piece& part) {
        for (; at_ < text_.size() && std::string_view("-+ #0").find(text_[at_]) != std::string_view::npos;
             ++at_) {
            if (text_[at_] == '-') part.left = true;
            if (text_[at_] == '0') part.filler = '0';
        }
        part.width = read_number(start);
        if (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            part.most = read_number(start);
        }
        if (error_) return;
        const char conversion = at_ < text_.size() ? text_[at_] : '\0';
        ++at_;
        const bool number = is_whole_number(part.kind);
        if (conversion == '%') {
            // To Python this is a percent sign, whatever stands before it.
            part = piece{atom::literal, "%"};
        } else if (conversion == 's' || !number || part.left) {
            part.filler = ' ';
        }
        if (conversion == '%' || conversion == 's' || (number && (conversion == 'd' || conversion == 'i')))
            return;
        fail(
            start,
            number ? "the atom must end in 's' or 'd', as '%(D)s'" : "the atom must end in 's', as '%(h)s'"
        );
    }

    std::size_t read_number(std::size_t start) {
        std::size_t number = 0;
        for (; at_ < text_.size() && is_digit(text_[at_]) && number <= widest; ++at_) {
            number = number * 10 + static_cast<std::size_t>(text_[at_] - '0');
        }
        if (number > widest) fail(start, fmt::format("the width of an atom can be {} at most", widest));
        return number;
    }

    static bool is_whole_number(atom kind) noexcept {
        return kind == atom::status || kind == atom::bytes || kind == atom::seconds ||
               kind == atom::milliseconds || kind == atom::microseconds;
    }

    static void note_needs(access_format& into, const piece& part) {
        switch (part.kind) {
            case atom::referer:
            case atom::user_agent:
            case atom::request_field: into.uses_request_fields_ = true; break;
            case atom::response_field: into.uses_response_fields_ = true; break;
            case atom::environ: into.environ_names_.push_back(part.text); break;
            default: break;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<std::string> error_;
};

std::string_view access_format::known_atoms() noexcept {
    return valid_atoms;
}

boost::system::result<access_format, std::string> access_format::compile(std::string_view text) {
    access_format made;
    if (text == "json") {
        made.json_ = true;
        made.uses_request_fields_ = true;
        return made;
    }
    if (auto error = compiler(text).run(made)) return *std::move(error);
    return made;
}

}  // namespace unicoro::log
