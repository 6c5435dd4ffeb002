#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace thimble {

// Where a buffer's bytes come from and go to. Implementations stand beside what they wrap: the heap here, mapped files in
// <thimble/mapped_file.h>. One object serves one buffer or many; a buffer calls Release exactly once.
class Memory {
 public:
  // Makes the run `bytes` long, keeping its contents; the new bytes are zero. It may move. On an error nothing changed.
  virtual absl::StatusOr<std::span<std::byte>> Grow(std::span<std::byte> run, std::size_t bytes) = 0;
  // Gives back what lies behind the first `bytes`, where that can be done; the run may move. Returns what is left of it.
  virtual std::span<std::byte> Shrink(std::span<std::byte> run, std::size_t /*bytes*/) { return run; }
  virtual void Release(std::span<std::byte> run) noexcept = 0;

 protected:
  ~Memory() = default;
};

// A writable run of bytes, and the duty to give it back: what an owner builds its image in.
//
//   Buffer heap = Buffer::Heap(1 << 20);                 // zeroed, 64-byte aligned
//   Buffer stack = Buffer::Borrow(std::span(array));     // somebody else's bytes, fixed in size
//
// Space    the bytes asked for; from 1 MiB on an anonymous mapping of whole pages, below that one heap block
// Time     Heap O(n) below 1 MiB, then O(1); Grow moves no byte above 1 MiB (mremap), and never doubles
// Threads  a buffer is a value: one thread at a time
// Errors   std::bad_alloc when the heap is exhausted; Grow of borrowed bytes returns kFailedPrecondition
class Buffer {
 public:
  Buffer() = default;
  Buffer(Memory* memory, std::span<std::byte> run) : memory_(memory), run_(run) {}
  Buffer(Buffer&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), run_(std::exchange(other.run_, {})) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(run_, other.run_);
    return *this;
  }
  ~Buffer() {
    if (memory_ != nullptr) memory_->Release(run_);
  }

  static Buffer Heap(std::size_t bytes);
  static Buffer Copy(std::span<const std::byte> from);
  static Buffer Borrow(std::span<std::byte> run) { return Buffer(nullptr, run); }

  std::span<std::byte> bytes() const { return run_; }
  std::byte* data() const { return run_.data(); }
  std::size_t size() const { return run_.size(); }

  // Makes the buffer at least `bytes` long, keeping its contents; new bytes are zero. The run may move, so offsets outlive a
  // Grow and pointers do not.
  absl::Status Grow(std::size_t bytes);

  // Gives back what lies behind the first `bytes`. Only heap buffers do; others keep their size. The run may move.
  void Shrink(std::size_t bytes);

  // Tells `observer` of every change in the bytes that heap buffers hold in anonymous mappings, which malloc does not see.
  // One observer a process, null for none: it is for memory accounting.
  static void ObserveMappings(void (*observer)(std::ptrdiff_t bytes));

 private:
  Memory* memory_ = nullptr;
  std::span<std::byte> run_;
};

}  // namespace thimble
