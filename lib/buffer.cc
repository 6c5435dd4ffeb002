#include "thimble/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "thimble/bytes.h"

namespace thimble {
namespace {

constexpr std::size_t kMappedFrom = std::size_t{1} << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr int kCollapse = 25;  // MADV_COLLAPSE, from Linux 6.1 on
constexpr std::align_val_t kAlignment{64};

std::atomic<void (*)(std::ptrdiff_t)> mapping_observer{nullptr};

void Observe(std::ptrdiff_t bytes) {
  if (auto* observer = mapping_observer.load(std::memory_order_acquire)) observer(bytes);
}

std::size_t Pages(std::size_t bytes) {
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  return RoundUp(bytes, kPage);
}

// Address space that nothing else uses, from a multiple of a large page on.
std::byte* Reserve(std::size_t length) {
  const std::size_t all = length + kHugePage;
  void* at = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(at);
  const std::size_t skipped = RoundUp(reinterpret_cast<std::uintptr_t>(begin), kHugePage) - reinterpret_cast<std::uintptr_t>(begin);
  if (skipped > 0) munmap(begin, skipped);
  if (skipped < kHugePage) munmap(begin + skipped + length, kHugePage - skipped);
  return begin + skipped;
}

std::span<std::byte> Map(std::size_t bytes) {
  const std::size_t length = Pages(bytes);
  // Random probes of something large miss the TLB more than the cache; the kernel uses large pages only where the whole of
  // one lies inside, so this holds no byte more.
  std::byte* place = length >= kHugePage ? Reserve(length) : nullptr;
  void* at = mmap(place, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (place != nullptr ? MAP_FIXED : 0), -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  if (place != nullptr) madvise(at, length, MADV_HUGEPAGE);
  Observe(static_cast<std::ptrdiff_t>(length));
  return {static_cast<std::byte*>(at), bytes};
}

// Makes a mapping longer or shorter. One of large pages stays where it is while it can, and else moves to where it can grow
// to several times its length: moving would break the pages up, or cost a copy of the page table at every step.
std::byte* Remap(std::byte* run, std::size_t before, std::size_t after) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(run) % kHugePage == 0;
  if (after < kHugePage || after <= before) return static_cast<std::byte*>(mremap(run, before, after, MREMAP_MAYMOVE));
  void* at = aligned ? mremap(run, before, after, 0) : MAP_FAILED;
  if (at == MAP_FAILED) {
    const std::size_t room = RoundUp(after, kHugePage) * 4;
    std::byte* place = Reserve(room);
    at = mremap(run, before, after, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    munmap(at == MAP_FAILED ? place : place + after, at == MAP_FAILED ? room : room - after);
    if (at == MAP_FAILED) return static_cast<std::byte*>(at);
    madvise(at, after, MADV_HUGEPAGE);
  }
  // What was the end fell short of a large page; now that it is full, it becomes one.
  const std::size_t first = aligned ? before / kHugePage * kHugePage : 0, last = std::min(RoundUp(before, kHugePage), after / kHugePage * kHugePage);
  if (first < last) madvise(static_cast<std::byte*>(at) + first, last - first, kCollapse);
  return static_cast<std::byte*>(at);
}

std::span<std::byte> Allocate(std::size_t bytes) {
  if (bytes == 0) return {};
  if (bytes >= kMappedFrom) return Map(bytes);
  auto* at = static_cast<std::byte*>(operator new(bytes, kAlignment));
  std::memset(at, 0, bytes);
  return {at, bytes};
}

class HeapMemory final : public Memory {
 public:
  absl::StatusOr<std::span<std::byte>> Grow(std::span<std::byte> run, std::size_t bytes) override {
    if (run.size() >= kMappedFrom) {
      const std::size_t before = Pages(run.size());
      const std::size_t after = Pages(bytes);
      if (before != after) {
        std::byte* at = Remap(run.data(), before, after);
        if (at == MAP_FAILED) throw std::bad_alloc();
        run = {at, run.size()};
        Observe(static_cast<std::ptrdiff_t>(after - before));
      }
      return std::span<std::byte>(run.data(), bytes);
    }
    const std::span<std::byte> grown = Allocate(bytes);
    if (!run.empty()) std::memcpy(grown.data(), run.data(), run.size());
    Release(run);
    return grown;
  }

  std::span<std::byte> Shrink(std::span<std::byte> run, std::size_t bytes) override {
    if (bytes >= kMappedFrom) {
      std::memset(run.data() + bytes, 0, std::min(Pages(bytes), run.size()) - bytes);  // what grows again is zero
      return *Grow(run, bytes);  // mremap goes both ways
    }
    const std::span<std::byte> shrunk = Allocate(bytes);
    if (bytes > 0) std::memcpy(shrunk.data(), run.data(), bytes);
    Release(run);
    return shrunk;
  }

  void Release(std::span<std::byte> run) noexcept override {
    if (run.size() >= kMappedFrom) {
      munmap(run.data(), Pages(run.size()));
      Observe(-static_cast<std::ptrdiff_t>(Pages(run.size())));
    } else {
      operator delete(run.data(), kAlignment);
    }
  }
};

HeapMemory heap_memory;

}  // namespace

Buffer Buffer::Heap(std::size_t bytes) { return Buffer(&heap_memory, Allocate(bytes)); }

Buffer Buffer::Copy(std::span<const std::byte> from) {
  Buffer copy = Heap(from.size());
  if (!from.empty()) std::memcpy(copy.data(), from.data(), from.size());
  return copy;
}

absl::Status Buffer::Grow(std::size_t bytes) {
  if (bytes <= run_.size()) return absl::OkStatus();
  if (memory_ == nullptr) return absl::FailedPreconditionError("a borrowed buffer cannot grow");
  absl::StatusOr<std::span<std::byte>> grown = memory_->Grow(run_, bytes);
  if (!grown.ok()) return grown.status();
  run_ = *grown;
  return absl::OkStatus();
}

void Buffer::Shrink(std::size_t bytes) {
  if (bytes < run_.size() && memory_ != nullptr) run_ = memory_->Shrink(run_, bytes);
}

void Buffer::ObserveMappings(void (*observer)(std::ptrdiff_t bytes)) {
  mapping_observer.store(observer, std::memory_order_release);
}

}  // namespace thimble
