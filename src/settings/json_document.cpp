// SPDX-License-Identifier: MIT
#include "settings/json_document.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace unicoro::settings {
namespace {

/// What to do about the usual slips; `rest` begins where the text broke, or within that word.
std::string_view remedy(std::string_view before, std::string_view rest) {
    const auto last = before.find_last_not_of(" \t\r\n");
    const bool closes = rest.starts_with('}') || rest.starts_with(']');
    if (closes && last != before.npos && before[last] == ',') return "; remove the comma before it";
    if (rest.starts_with('\'')) return "; text must be in double quotes";
    if (rest.starts_with('#')) return "; a comment begins with //";
    const auto word = before.substr(before.find_last_of(" \t\r\n,:[{") + 1);
    const auto whole = std::string(word) + std::string(rest.substr(0, rest.find_first_of(" \t\r\n,:]}")));
    if (whole == "True" || whole == "False") return "; write true or false";
    if (whole == "None") return "; write null";
    return {};
}

/// Builds the document and remembers what the library's own builder forgets: repeated keys, and
/// where the text broke.
class document_builder final : public json::json_sax_t {
  public:
    document_builder(std::string_view text, json& document, std::vector<std::string>& errors)
        : text_(text), document_(document), errors_(errors) {}

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
    bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
    bool number_float(number_float_t value, const string_t&) override { return add(value) != nullptr; }
    bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override { return open(json::object()); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        key_ = name;
        if (open_.back()->contains(name)) {
            errors_.push_back((path() / name).to_string() + ": this key is given twice; keep one");
        }
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error)
        override {
        // `position` counts the bytes read, the offending one included.
        const auto before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto last_break = before.rfind('\n');
        const auto column = before.size() - (last_break == before.npos ? 0 : last_break + 1) + 1;
        std::string_view reason = error.what();
        // "[json.exception...] parse error at line 1, column 2: syntax error while ..."
        if (const auto colon = reason.find(": "); colon != reason.npos) reason.remove_prefix(colon + 2);
        errors_.push_back(
            "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
            base::printable(reason) + std::string(remedy(before, text_.substr(before.size())))
        );
        return false;
    }

  private:
    json* add(json value) {
        if (open_.empty()) {
            document_ = std::move(value);
            return &document_;
        }
        json& parent = *open_.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return &parent.back();
        }
        json& place = parent[key_];
        place = std::move(value);
        return &place;
    }

    bool open(json container) {
        keys_.push_back(key_);
        open_.push_back(add(std::move(container)));
        return true;
    }

    bool close() {
        open_.pop_back();
        keys_.pop_back();
        return true;
    }

    /// The way to the innermost open container.
    json::json_pointer path() const {
        json::json_pointer pointer;
        for (std::size_t depth = 1; depth < open_.size(); ++depth) {
            const json& parent = *open_[depth - 1];
            if (parent.is_array()) {
                pointer /= parent.size() - 1;
            } else {
                pointer /= keys_[depth];
            }
        }
        return pointer;
    }

    std::string_view text_;
    json& document_;
    std::vector<std::string>& errors_;
    std::vector<json*> open_;        ///< containers from the document down to the innermost
    std::vector<std::string> keys_;  ///< the key before each of them
    std::string key_;
};

}  // namespace

bool parse_json(std::string_view text, json& document, std::vector<std::string>& errors) {
    document_builder builder(text, document, errors);
    return json::sax_parse(text, &builder, nlohmann::detail::input_format_t::json, true, true);
}

}  // namespace unicoro::settings
