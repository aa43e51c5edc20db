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

}  // namespace

std::unique_ptr<encoder> make_zstd_encoder(int level, std::optional<std::uint64_t> size) {
    context_ptr context(ZSTD_createCCtx());
    if (!context) return nullptr;
    const bool accepted = set(context.get(), ZSTD_c_compressionLevel, level) &&
                          set(context.get(), ZSTD_c_windowLog, zstd_window_bits);
    if (!accepted) return nullptr;
    if (size && ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context.get(), *size)) != 0) return nullptr;
    return std::make_unique<zstd_encoder>(std::move(context));
}

}  // namespace unicoro::compress
