// SPDX-License-Identifier: MIT
#pragma once

#include "http2/session.hpp"

#include <nghttp2/nghttp2.h>

namespace unicoro::http2 {

/// What nghttp2 calls: no exception leaves one.
struct callbacks {
    /// For a new session; the caller frees it. Null without memory.
    [[nodiscard]] static nghttp2_session_callbacks* make() noexcept;

    /// The body of a response, from the stream's output.
    static ssize_t read_output(
        nghttp2_session* native,
        std::int32_t id,
        std::uint8_t* into,
        std::size_t most,
        std::uint32_t* flags,
        nghttp2_data_source* source,
        void* self
    ) noexcept;

  private:
    static int begin_head(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept;
    static int field(
        nghttp2_session* native,
        const nghttp2_frame* frame,
        const std::uint8_t* name,
        std::size_t name_size,
        const std::uint8_t* value,
        std::size_t value_size,
        std::uint8_t flags,
        void* self
    ) noexcept;
    static int invalid_field(
        nghttp2_session* native,
        const nghttp2_frame* frame,
        const std::uint8_t* name,
        std::size_t name_size,
        const std::uint8_t* value,
        std::size_t value_size,
        std::uint8_t flags,
        void* self
    ) noexcept;
    static int frame_begins(nghttp2_session* native, const nghttp2_frame_hd* head, void* self) noexcept;
    static int frame_came(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept;
    static int frame_went(nghttp2_session* native, const nghttp2_frame* frame, void* self) noexcept;
    static int data(
        nghttp2_session* native,
        std::uint8_t flags,
        std::int32_t id,
        const std::uint8_t* bytes,
        std::size_t size,
        void* self
    ) noexcept;
    static int stream_closed(
        nghttp2_session* native, std::int32_t id, std::uint32_t why, void* self
    ) noexcept;

    static int control_came(session& own, const nghttp2_frame& frame);
    static void head_whole(session& own, stream& which, const nghttp2_frame& frame);
};

}  // namespace unicoro::http2
