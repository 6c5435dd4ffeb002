#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "status_macros.h"
#include "thimble/buffer.h"

namespace thimble::internal {

// Bytes appended to a buffer, which grows by a small part of its size at a time: large ones grow without being copied.
class ByteLog {
 public:
  // Goes on behind the first `size` bytes of the buffer.
  explicit ByteLog(Buffer buffer = Buffer::Heap(0), std::uint64_t size = 0) : buffer_(std::move(buffer)), size_(size) {}

  absl::Status Append(std::span<const std::byte> bytes) {
    THIMBLE_RETURN_IF_ERROR(Reserve(size_ + bytes.size()));
    if (!bytes.empty()) std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
    return absl::OkStatus();
  }

  // Small buffers double: they are copied. What is larger is mapped at once: its pages come as they are written to, where a
  // row of copies would leave holes behind that nothing else fits in.
  absl::Status Reserve(std::uint64_t bytes) {
    if (bytes <= buffer_.size()) return absl::OkStatus();
    constexpr std::uint64_t kSmall = 1 << 16, kMapped = 1 << 20;
    return buffer_.Grow(bytes <= kSmall ? std::max<std::uint64_t>(2 * bytes, 1024) : std::max(bytes + bytes / 64 + kSmall, kMapped));
  }

  std::byte* data() const { return buffer_.data(); }
  std::uint64_t size() const { return size_; }
  std::uint64_t capacity() const { return buffer_.size(); }
  Buffer& buffer() { return buffer_; }

 private:
  Buffer buffer_;
  std::uint64_t size_;
};

}  // namespace thimble::internal
