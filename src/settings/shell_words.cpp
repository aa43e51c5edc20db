// SPDX-License-Identifier: MIT
#include "settings/shell_words.hpp"

#include <optional>
#include <utility>

namespace unicoro::settings {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class splitter {
  public:
    explicit splitter(std::string_view text) : text_(text) {}

    shell_words run() {
        while (at_ < text_.size() && result_.problem.empty()) step();
        finish_word();
        if (!result_.problem.empty()) result_.words.clear();
        return std::move(result_);
    }

  private:
    void step() {
        const char c = text_[at_++];
        if (is_blank(c)) {
            finish_word();
        } else if (c == '\'') {
            single_quoted();
        } else if (c == '"') {
            double_quoted();
        } else if (c == '\\') {
            if (at_ == text_.size()) {
                result_.problem = "ends with a backslash that escapes nothing";
            } else {
                append(text_[at_++]);
            }
        } else {
            append(c);
        }
    }

    void single_quoted() {
        const auto end = text_.find('\'', at_);
        if (end == text_.npos) {
            result_.problem = "has a ' that is not closed";
            return;
        }
        if (!word_) word_.emplace();
        word_->append(text_.substr(at_, end - at_));
        at_ = end + 1;
    }

    void double_quoted() {
        if (!word_) word_.emplace();
        while (at_ < text_.size()) {
            char c = text_[at_++];
            if (c == '"') return;
            const bool protects = c == '\\' && at_ < text_.size() &&
                                  std::string_view("\"\\$`").find(text_[at_]) != std::string_view::npos;
            if (protects) c = text_[at_++];
            append(c);
        }
        result_.problem = "has a \" that is not closed";
    }

    void append(char c) {
        if (!word_) word_.emplace();
        word_->push_back(c);
    }

    void finish_word() {
        if (word_) result_.words.push_back(*std::exchange(word_, std::nullopt));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<std::string> word_;  ///< "" and '' make a word that is empty
    shell_words result_;
};

}  // namespace

shell_words split_shell_words(std::string_view text) {
    return splitter(text).run();
}

}  // namespace unicoro::settings
