// SPDX-License-Identifier: MIT
#include "os/elf_symbols.hpp"

#include "os/unique_fd.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace unicoro::os {
namespace {

/// A file mapped for reading. Nothing in it is believed.
class mapped_file {
  public:
    explicit mapped_file(const char* path) {
        const unique_fd file(open(path, O_RDONLY | O_CLOEXEC));
        struct stat about{};
        if (!file || fstat(file.get(), &about) != 0 || about.st_size <= 0) return;
        const auto size = static_cast<std::size_t>(about.st_size);
        void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
        if (memory != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(memory), size};
    }
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    ~mapped_file() {
        if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }

    /// A copy of what stands there; nothing beyond the end.
    template <class T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const noexcept {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }
    [[nodiscard]] std::string_view text_at(std::uint64_t offset) const noexcept {
        if (offset >= bytes_.size()) return {};
        const auto* const first = reinterpret_cast<const char*>(bytes_.data() + offset);
        return {first, strnlen(first, bytes_.size() - offset)};
    }

  private:
    std::span<const std::byte> bytes_;
};

using section = ElfW(Shdr);
using symbol = ElfW(Sym);

std::string_view name_in(
    const mapped_file& file, const section& symbols, const section& names, std::uintptr_t place
) {
    for (std::uint64_t at = 0; at + sizeof(symbol) <= symbols.sh_size; at += sizeof(symbol)) {
        const auto each = file.at<symbol>(symbols.sh_offset + at);
        if (!each) return {};
        // The low half of the byte, on every architecture (ELF64_ST_TYPE).
        const bool function = (each->st_info & 0xFU) == STT_FUNC && each->st_shndx != SHN_UNDEF;
        if (!function || place < each->st_value || place - each->st_value >= each->st_size) continue;
        return file.text_at(names.sh_offset + each->st_name);
    }
    return {};
}

std::string_view name_of(const mapped_file& file, std::uintptr_t place) {
    const auto head = file.at<ElfW(Ehdr)>(0);
    if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return {};
    const auto section_at = [&](std::uint64_t index) {
        return file.at<section>(head->e_shoff + index * sizeof(section));
    };
    for (unsigned index = 0; index < head->e_shnum; ++index) {
        const auto symbols = section_at(index);
        if (!symbols || symbols->sh_type != SHT_SYMTAB) continue;
        const auto names = section_at(symbols->sh_link);
        return names ? name_in(file, *symbols, *names, place) : std::string_view();
    }
    return {};
}

// The body of a coroutine is "f(f(int)::_Z1fi.Frame*) [clone .actor]" after g++: leave "f(int)" of it.
std::string without_frame(std::string name) {
    const std::size_t end = name.rfind("::_Z");
    if (!name.ends_with(".Frame*) [clone .actor]") || end == std::string::npos) return name;
    for (std::size_t at = name.find('('); at < end; at = name.find('(', at + 1)) {
        const std::string_view inner = std::string_view(name).substr(at + 1, end - at - 1);
        if (inner.starts_with(name.substr(0, at) + "(")) return std::string(inner);
    }
    return name;
}

std::string demangled(const std::string& name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free
    );
    return status == 0 && text ? without_frame(text.get()) : name;
}

// The dynamic linker has it from argv[0], which the process title overwrites.
std::string path_of_program() {
    std::array<char, 4096> path{};
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string("unicoro");
}

/// The program or library that an address lies in.
struct loaded_file {
    std::uintptr_t address;  ///< what is looked for
    std::uintptr_t base = 0;
    const char* path = nullptr;  ///< the dynamic linker's
    bool is_program = false;
};

// glibc calls the program "", musl what argv[0] was: its segments tell it apart.
int look_at(dl_phdr_info* about, std::size_t, void* found) {
    auto& wanted = *static_cast<loaded_file*>(found);
    for (const auto& each : std::span(about->dlpi_phdr, about->dlpi_phnum)) {
        const std::uintptr_t start = about->dlpi_addr + each.p_vaddr;
        if (each.p_type != PT_LOAD || wanted.address < start || wanted.address - start >= each.p_memsz)
            continue;
        wanted.base = about->dlpi_addr;
        wanted.path = about->dlpi_name;
        wanted.is_program = reinterpret_cast<unsigned long>(about->dlpi_phdr) == getauxval(AT_PHDR);
        return 1;
    }
    return 0;
}

}  // namespace

code_place find_code(std::uintptr_t address) {
    code_place found;
    loaded_file where{.address = address};
    if (dl_iterate_phdr(look_at, &where) == 0) return found;
    found.of_program = where.is_program;
    found.file = found.of_program ? path_of_program() : std::string(where.path);
    found.offset = address - where.base;
    const mapped_file file(found.of_program ? "/proc/self/exe" : where.path);
    std::string name(name_of(file, found.offset));
    Dl_info about{};
    if (name.empty() && dladdr(reinterpret_cast<void*>(address), &about) != 0 && about.dli_sname != nullptr) {
        name = about.dli_sname;
    }
    found.function = demangled(name);
    return found;
}

}  // namespace unicoro::os
