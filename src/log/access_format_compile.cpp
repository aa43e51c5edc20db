// SPDX-License-Identifier: MIT
#include "log/access_format.hpp"

#include "log/access_atoms.hpp"
#include "log/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace unicoro::log {
namespace {

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

    /// The JSON object, for which there is nothing to read.
    static void make_json(access_format& into) {
        std::string before = "{";
        for (const access_atom& each : access_atoms()) {
            if (each.key.empty()) continue;
            add_literal(into, fmt::format("{}\"{}\":", before, each.key));
            note_needs(into, each, {});
            into.pieces_.push_back({.print = each.print_json});
            before = ",";
        }
        add_literal(into, "}");
    }

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
        if (into.pieces_.empty() || into.pieces_.back().print != nullptr) {
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
        const bool named = name.size() > 3 && name.front() == '{' && name[name.size() - 2] == '}';
        const access_atom* const atom = find_atom(name, named);
        if (atom == nullptr) {
            into.unknown_atoms_.emplace_back(name);
            add_literal(into, "-");
            return skip_conversion(start);
        }
        piece part{.print = atom->print};
        if (named) part.text = name.substr(1, name.size() - 3);
        read_conversion(start, atom->kind == atom_kind::whole_number, part);
        if (error_) return;
        if (part.print != nullptr) note_needs(into, *atom, part.text);
        into.pieces_.push_back(std::move(part));
    }

    static const access_atom* find_atom(std::string_view name, bool named) {
        if (name.size() != 1 && !named) return nullptr;
        const auto known = access_atoms();
        const auto found = std::ranges::find_if(known, [&](const access_atom& each) {
            return each.letter != '\0' && each.letter == name.back() && each.named == named;
        });
        return found == known.end() ? nullptr : &*found;
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
    void read_conversion(std::size_t start, bool number, piece& part) {
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
        if (conversion == '%') {
            // To Python this is a percent sign, whatever stands before it.
            part = piece{.text = "%"};
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

    static void note_needs(access_format& into, const access_atom& atom, std::string_view name) {
        switch (atom.needs) {
            case atom_needs::nothing: break;
            case atom_needs::request_fields: into.uses_request_fields_ = true; break;
            case atom_needs::response_fields: into.uses_response_fields_ = true; break;
            case atom_needs::wait: into.uses_wait_ = true; break;
            case atom_needs::first_byte: into.uses_first_byte_ = true; break;
            case atom_needs::cpu_time: into.uses_cpu_time_ = true; break;
            case atom_needs::environ: into.environ_names_.emplace_back(name); break;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<std::string> error_;
};

std::string_view access_format::known_atoms() noexcept {
    static const std::string sentence = [] {
        std::string text = "valid are ";
        for (const access_atom& each : access_atoms()) {
            if (each.letter != '\0' && !each.named) (text += each.letter) += ' ';
        }
        text.back() = ',';
        return text + " {name}i (request field), {name}o (response field) and {name}e (environ)";
    }();
    return sentence;
}

boost::system::result<access_format, std::string> access_format::compile(std::string_view text) {
    access_format made;
    if (text == "json") {
        compiler::make_json(made);
        return made;
    }
    if (auto error = compiler(text).run(made)) return *std::move(error);
    return made;
}

}  // namespace unicoro::log
