// SPDX-License-Identifier: MIT
#include "scoreboard/handed_slot.hpp"

#include "os/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace unicoro::scoreboard {
namespace {

std::byte* begin_of(const table& board, std::size_t index) noexcept {
    return reinterpret_cast<std::byte*>(&board.slot(index));
}

std::size_t bytes_of_slot(const table& board) noexcept {
    return static_cast<std::size_t>(begin_of(board, 1) - begin_of(board, 0));
}

error_code last_failure() noexcept {
    return {errno, boost::system::system_category()};
}

error_code map_file(const table& board, std::size_t index, int file, int rights) noexcept {
    const int how = MAP_SHARED | MAP_NORESERVE | MAP_FIXED;
    void* const where = begin_of(board, index);
    if (mmap(where, bytes_of_slot(board), rights, how, file, 0) != MAP_FAILED) return {};
    return last_failure();
}

}  // namespace

error_code attach(const table& board, std::size_t index, int file) noexcept {
    return map_file(board, index, file, PROT_READ | PROT_WRITE);
}

error_code attach_to_read(const table& board, std::size_t index, int file) noexcept {
    return map_file(board, index, file, PROT_READ);
}

error_code make_read_only(const table& board) noexcept {
    if (mprotect(begin_of(board, 0), board.size() * bytes_of_slot(board), PROT_READ) == 0) return {};
    return last_failure();
}

result<os::unique_fd> open_file(const table& board, std::size_t index, worker_state to) noexcept {
    auto made = os::make_memory_file("unicoro worker");
    if (!made) return made;
    os::unique_fd file = std::move(*made);
    if (ftruncate(file.get(), static_cast<off_t>(bytes_of_slot(board))) != 0) return last_failure();
    // Whoever made it shorter would end those that read it.
    if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return last_failure();
    if (const error_code failed = attach(board, index, file.get())) return failed;
    board.slot(index).state.store(to);
    board.loads().clear(index);
    return file;
}

error_code keep_none(const table& board) noexcept {
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    const std::size_t bytes = board.size() * bytes_of_slot(board);
    if (mmap(begin_of(board, 0), bytes, PROT_NONE, how, -1, 0) == MAP_FAILED) return last_failure();
    stack_question& question = board.question();
    return mprotect(&question, sizeof(question), PROT_READ) == 0 ? error_code() : last_failure();
}

}  // namespace unicoro::scoreboard
