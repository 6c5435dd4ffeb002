#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace thimble::bench {

// What a peer's container takes from the heap, malloc's own overhead included: now, and at most.
struct HeapCount {
  static inline std::size_t live = 0, peak = 0;
  static void Reset() { live = peak = 0; }
};

// An allocator for containers that counts into HeapCount.
template <class T>
struct Counted {
  using value_type = T;
  using pointer = T*;
  using const_pointer = const T*;
  using reference = T&;
  using const_reference = const T&;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  template <class U>
  struct rebind {
    using other = Counted<U>;
  };

  Counted() = default;
  template <class U>
  Counted(const Counted<U>&) {}  // NOLINT: allocators convert

  T* allocate(std::size_t n) {
    void* at = std::malloc(n * sizeof(T));
    if (at == nullptr) throw std::bad_alloc();
    HeapCount::live += malloc_usable_size(at) + 8;
    HeapCount::peak = std::max(HeapCount::peak, HeapCount::live);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t) {
    if (at != nullptr) HeapCount::live -= malloc_usable_size(at) + 8;
    std::free(at);
  }
  std::size_t max_size() const { return SIZE_MAX / sizeof(T); }
  template <class U>
  bool operator==(const Counted<U>&) const {
    return true;
  }
};

}  // namespace thimble::bench
