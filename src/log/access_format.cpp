// SPDX-License-Identifier: MIT
#include "log/access_format.hpp"

namespace unicoro::log {
namespace {

/// Ends the line there, or before a character or an escape that would be cut through.
void cut(std::string& line, std::size_t end, std::size_t start) {
    while (end > start && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line.resize(end);
    const std::size_t last = line.find_last_not_of('\\');
    const std::size_t backslashes = line.size() - (last == std::string::npos ? 0 : last + 1);
    if (backslashes % 2 == 1 && line.size() > start) line.pop_back();
}

}  // namespace

void access_format::append(std::string& line, const access_record& record) const {
    for (const piece& part : pieces_) {
        if (part.print == nullptr) {
            line.append(part.text);
            continue;
        }
        const std::size_t start = line.size();
        part.print(line, record, part.text);
        if (line.size() - start > part.most) cut(line, start + part.most, start);
        const std::size_t written = line.size() - start;
        if (written < part.width) {
            line.insert(part.left ? line.size() : start, part.width - written, part.filler);
        }
    }
}

}  // namespace unicoro::log
