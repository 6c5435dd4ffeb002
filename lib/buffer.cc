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
constexpr std::size_t kHugeFrom = std::size_t{4} << 20;
constexpr std::align_val_t kAlignment{64};

std::atomic<void (*)(std::ptrdiff_t)> mapping_observer{nullptr};

void Observe(std::ptrdiff_t bytes) {
  if (auto* observer = mapping_observer.load(std::memory_order_acquire)) observer(bytes);
}

std::size_t Pages(std::size_t bytes) {
  if (bytes > SIZE_MAX - kPage) throw std::bad_alloc();
  return RoundUp(bytes, kPage);
}

std::span<std::byte> Map(std::size_t bytes) {
  const std::size_t length = Pages(bytes);
  void* at = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  // Random probes of something large miss the TLB more than the cache; the kernel uses large pages only where the whole of
  // one lies inside, so this holds no byte more.
  if (length >= kHugeFrom) madvise(at, length, MADV_HUGEPAGE);
  Observe(static_cast<std::ptrdiff_t>(length));
  return {static_cast<std::byte*>(at), bytes};
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
      void* at = mremap(run.data(), before, after, MREMAP_MAYMOVE);
      if (at == MAP_FAILED) throw std::bad_alloc();
      if (after >= kHugeFrom) madvise(at, after, MADV_HUGEPAGE);
      Observe(static_cast<std::ptrdiff_t>(after - before));
      return std::span<std::byte>(static_cast<std::byte*>(at), bytes);
    }
    const std::span<std::byte> grown = Allocate(bytes);
    if (!run.empty()) std::memcpy(grown.data(), run.data(), run.size());
    Release(run);
    return grown;
  }

  std::span<std::byte> Shrink(std::span<std::byte> run, std::size_t bytes) override {
    if (bytes >= kMappedFrom) return *Grow(run, bytes);  // mremap goes both ways
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
