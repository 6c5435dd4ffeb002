#include "thimble/heap_scope.h"

#include <malloc.h>
#include <sys/single_threaded.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include "thimble/buffer.h"

namespace thimble {
namespace {

constexpr std::int64_t kBlockHeader = 8;

constinit std::atomic<std::int64_t> live{0};
constinit std::atomic<std::int64_t> mapped{0};
constinit std::atomic<std::int64_t> peak{0};

// A locked instruction costs as much as a small malloc, so it is taken only when there is a second thread.
void Count(std::int64_t bytes) {
  std::int64_t now;
  if (__libc_single_threaded) {
    now = live.load(std::memory_order_relaxed) + bytes;
    live.store(now, std::memory_order_relaxed);
  } else {
    now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  }
  std::int64_t highest = peak.load(std::memory_order_relaxed);
  while (now > highest && !peak.compare_exchange_weak(highest, now, std::memory_order_relaxed)) {
  }
}

void CountMapping(std::ptrdiff_t bytes) {
  mapped.fetch_add(bytes, std::memory_order_relaxed);
  Count(bytes);
}

std::int64_t UsableBytes(void* block) { return static_cast<std::int64_t>(malloc_usable_size(block)); }

void* Allocate(std::size_t bytes) noexcept {
  void* block = std::malloc(std::max<std::size_t>(bytes, 1));
  if (block != nullptr) Count(UsableBytes(block) + kBlockHeader);
  return block;
}

void Free(void* block) noexcept {
  if (block == nullptr) return;
  Count(-UsableBytes(block) - kBlockHeader);
  std::free(block);
}

// Where the heap happens to end decides whether malloc leaves an aligned block the remainder behind it, which is too small
// to be split off. That is not the program's doing and would make two builds of the same thing differ, so it does not count.
constexpr std::int64_t kMaxRemainder = 32;

// An aligned block ends in what it counts. That costs nothing: malloc has these bytes behind every multiple of 16.
std::byte* CountOf(void* block) { return static_cast<std::byte*>(block) + UsableBytes(block) - sizeof(std::int64_t); }

void* Allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
  const std::size_t unit = std::max<std::size_t>(static_cast<std::size_t>(alignment), 16);
  if (bytes > PTRDIFF_MAX - unit) return nullptr;
  const std::size_t asked = (std::max<std::size_t>(bytes, 1) + unit - 1) / unit * unit + sizeof(std::int64_t);
  void* block = memalign(unit, asked);
  if (block == nullptr) return nullptr;
  const std::int64_t remainder = UsableBytes(block) - static_cast<std::int64_t>(asked);
  const std::int64_t count = UsableBytes(block) + kBlockHeader - (remainder <= kMaxRemainder ? remainder : 0);
  std::memcpy(CountOf(block), &count, sizeof count);
  Count(count);
  return block;
}

void FreeAligned(void* block) noexcept {
  if (block == nullptr) return;
  std::int64_t count;
  std::memcpy(&count, CountOf(block), sizeof count);
  Count(-count);
  std::free(block);
}

void* OrThrow(void* block) {
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

HeapScope::HeapScope() : live_before_(live), mapped_before_(mapped), outer_peak_(peak) {
  Buffer::ObserveMappings(&CountMapping);
  peak = live_before_;
}

HeapScope::~HeapScope() { peak = std::max(outer_peak_, peak.load()); }

std::int64_t HeapScope::live_bytes() const { return live - live_before_; }
std::int64_t HeapScope::peak_bytes() const { return peak - live_before_; }
std::int64_t HeapScope::mapped_bytes() const { return mapped - mapped_before_; }

}  // namespace thimble

// Every replaceable allocation function, lest one of another allocator (a sanitizer's) be paired with one of ours.
void* operator new(std::size_t bytes) { return thimble::OrThrow(thimble::Allocate(bytes)); }
void* operator new[](std::size_t bytes) { return thimble::OrThrow(thimble::Allocate(bytes)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return thimble::Allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return thimble::Allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t unit) { return thimble::OrThrow(thimble::Allocate(bytes, unit)); }
void* operator new[](std::size_t bytes, std::align_val_t unit) { return thimble::OrThrow(thimble::Allocate(bytes, unit)); }
void* operator new(std::size_t bytes, std::align_val_t unit, const std::nothrow_t&) noexcept { return thimble::Allocate(bytes, unit); }
void* operator new[](std::size_t bytes, std::align_val_t unit, const std::nothrow_t&) noexcept { return thimble::Allocate(bytes, unit); }

void operator delete(void* block) noexcept { thimble::Free(block); }
void operator delete[](void* block) noexcept { thimble::Free(block); }
void operator delete(void* block, std::size_t) noexcept { thimble::Free(block); }
void operator delete[](void* block, std::size_t) noexcept { thimble::Free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { thimble::Free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { thimble::Free(block); }
void operator delete(void* block, std::align_val_t) noexcept { thimble::FreeAligned(block); }
void operator delete[](void* block, std::align_val_t) noexcept { thimble::FreeAligned(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { thimble::FreeAligned(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { thimble::FreeAligned(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept { thimble::FreeAligned(block); }
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept { thimble::FreeAligned(block); }
