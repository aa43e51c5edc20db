// SPDX-License-Identifier: MIT
#include "compress/encoders.hpp"

#include <zstd.h>

namespace unicoro::compress {
namespace {

struct free_context {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};
using context_ptr = std::unique_ptr<ZSTD_CCtx, free_context>;

ZSTD_EndDirective directive_of(flush how) noexcept {
    switch (how) {
        case flush::none: return ZSTD_e_continue;
        case flush::sync: return ZSTD_e_flush;
        case flush::end: return ZSTD_e_end;
    }
    return ZSTD_e_continue;
}

class zstd_encoder final : public encoder {
  public:
    explicit zstd_encoder(context_ptr context) noexcept : context_(std::move(context)) {}

    bool encode(std::string_view input, flush how, std::string& out) override {
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        std::size_t left = 0;
        do {
            const std::size_t before = out.size();
            out.resize(before + output_step);
            ZSTD_outBuffer to{out.data() + before, output_step, 0};
            left = ZSTD_compressStream2(context_.get(), &to, &in, directive_of(how));
            out.resize(before + to.pos);
            if (ZSTD_isError(left) != 0) return false;
        } while (in.pos < in.size || (how != flush::none && left > 0));
        return true;
    }

  private:
    context_ptr context_;
};

bool set(ZSTD_CCtx* context, ZSTD_cParameter which, int value) noexcept {
    return ZSTD_isError(ZSTD_CCtx_setParameter(context, which, value)) == 0;
}

/// The tables that zstd itself takes for sources as large as the window; those for endless ones are far
/// larger.
bool bound_tables(ZSTD_CCtx* context, int level) noexcept {
    constexpr int with_small_tables = 2;
    if (level <= with_small_tables) return true;
    const bool double_fast = level == with_small_tables + 1;
    return set(context, ZSTD_c_hashLog, double_fast ? zstd_window_bits - 1 : zstd_window_bits) &&
           set(context, ZSTD_c_chainLog, double_fast ? zstd_window_bits - 2 : zstd_window_bits - 1);
}

}  // namespace

std::unique_ptr<encoder> make_zstd_encoder(int level, std::optional<std::uint64_t> size) {
    context_ptr context(ZSTD_createCCtx());
    if (!context) return nullptr;
    const bool accepted = set(context.get(), ZSTD_c_compressionLevel, level) &&
                          set(context.get(), ZSTD_c_windowLog, zstd_window_bits) &&
                          bound_tables(context.get(), level);
    if (!accepted) return nullptr;
    if (size && ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context.get(), *size)) != 0) return nullptr;
    return std::make_unique<zstd_encoder>(std::move(context));
}

}  // namespace unicoro::compress
