// SPDX-License-Identifier: MIT
#include "python/runtime/arena_cache.hpp"

#include "base/poison.hpp"
#include "python/runtime/python.hpp"

#include <cstddef>
#include <new>

namespace unicoro::python {
namespace {

constexpr std::size_t block_size = 16 * 1024;
constexpr std::size_t most_blocks = 512;

struct free_block {
    free_block* next;
};

/// Python calls its arena allocator with the GIL held; that is the lock.
struct cache {
    PyObjectArenaAllocator original;
    free_block* first = nullptr;
    std::size_t count = 0;
};

void* allocate(void* context, std::size_t size) {
    auto& blocks = *static_cast<cache*>(context);
    if (size == block_size && blocks.first != nullptr) {
        free_block* const taken = blocks.first;
        base::unpoison(taken, block_size);
        blocks.first = taken->next;
        --blocks.count;
        return taken;
    }
    return blocks.original.alloc(blocks.original.ctx, size);
}

void release(void* context, void* block, std::size_t size) {
    auto& blocks = *static_cast<cache*>(context);
    if (size == block_size && blocks.count < most_blocks) {
        blocks.first = new (block) free_block{blocks.first};
        ++blocks.count;
        base::poison(block, block_size);
        return;
    }
    blocks.original.free(blocks.original.ctx, block, size);
}

}  // namespace

void install_arena_cache() noexcept {
    if (!base::pools_are_on()) return;
    static cache blocks;
    PyObject_GetArenaAllocator(&blocks.original);
    PyObjectArenaAllocator caching{&blocks, &allocate, &release};
    PyObject_SetArenaAllocator(&caching);
}

}  // namespace unicoro::python
