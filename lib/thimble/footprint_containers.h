#pragma once

// The containers that FootprintOf knows. Included by <thimble/footprint.h>.

#include "thimble/footprint.h"

namespace thimble {
namespace internal {

template <class Container>
std::uint64_t OwnedByElements(const Container& container) {
  if constexpr (std::is_trivially_destructible_v<typename Container::value_type>) {
    return 0;
  } else {
    std::uint64_t bytes = 0;
    for (const auto& element : container) bytes += FootprintOf(element);
    return bytes;
  }
}

// Elements in blocks of their own.
template <class Node, class Container>
std::uint64_t NodesBytes(const Container& container, std::uint64_t size) {
  return size * HeapBlockBytes(sizeof(Node)) + OwnedByElements(container);
}

template <class T>
struct ForwardListNode {
  void* next;
  alignas(T) std::byte value[sizeof(T)];
};
template <class T>
struct ListNode {
  void* links[2];
  alignas(T) std::byte value[sizeof(T)];
};
template <class T>
struct TreeNode {
  std::uint64_t colour;
  void* links[3];
  alignas(T) std::byte value[sizeof(T)];
};
template <class T, bool kKeepsHash>
struct HashNode : ForwardListNode<T> {
  std::size_t hash;
};
template <class T>
struct HashNode<T, false> : ForwardListNode<T> {};

// A hash that is slow to compute is kept in the node.
template <class Key, class Hash>
inline constexpr bool kKeepsHash =
#ifdef __GLIBCXX__
    std::__cache_default<Key, Hash>::value;
#else
    true;
#endif

template <class Container>
struct OwnedByTree {
  static std::uint64_t Of(const Container& c) { return NodesBytes<TreeNode<typename Container::value_type>>(c, c.size()); }
};

template <class Container>
struct OwnedByUnordered {
  using Node = HashNode<typename Container::value_type, kKeepsHash<typename Container::key_type, typename Container::hasher>>;
  static std::uint64_t Of(const Container& c) {
    const std::uint64_t buckets = c.bucket_count() == 1 ? 0 : HeapBlockBytes(c.bucket_count() * sizeof(void*));  // one is inside
    return buckets + NodesBytes<Node>(c, c.size());
  }
};

// Abseil's tables are known by their members, so that nothing of Abseil need be included.
template <class Container>
concept SwissTable = requires(const Container& c) {
  c.capacity();
  c.hash_function();
};

template <class Container>
concept BTree = requires(const Container& c) {
  c.key_comp();
  c.verify();
};

// Whether the elements lie in one array of slots, as in flat_hash_set, or each in a block of its own, as in node_hash_set.
template <class Container>
bool IsFlat(const Container& c) {
  const auto address = [](const auto& element) { return reinterpret_cast<std::uintptr_t>(std::addressof(element)); };
  if (c.empty()) return true;
  const std::uintptr_t first = address(*c.begin());
  for (const auto& element : c) {
    const std::uintptr_t distance = address(element) > first ? address(element) - first : first - address(element);
    if (distance % sizeof(element) != 0 || distance >= c.capacity() * sizeof(element)) return false;
  }
  return true;
}

template <class Container>
std::uint64_t SwissTableBytes(const Container& c) {
  using Value = typename Container::value_type;
  if (c.capacity() == 0) return 0;
  const bool flat = IsFlat(c);
  const std::uint64_t slot = flat ? sizeof(Value) : sizeof(void*);
  constexpr std::uint64_t kControlTail = 16;  // the sentinel, and the group that wraps around
  const std::uint64_t alignment = flat ? alignof(Value) : alignof(void*);
  const std::uint64_t control = (c.capacity() + kControlTail + alignment - 1) / alignment * alignment;
  return HeapBlockBytes(control + c.capacity() * slot) + (flat ? 0 : c.size() * HeapBlockBytes(sizeof(Value))) + OwnedByElements(c);
}

// In order, the elements of a B-tree are: a leaf's, one of an inner node, a leaf's, and so on; those of one node are
// neighbours. So their addresses tell how many nodes there are of either sort.
template <class Container>
std::uint64_t BTreeBytes(const Container& c) {
  using Value = typename Container::value_type;
  constexpr std::uint64_t kTarget = 256;
  constexpr std::uint64_t kOverhead = (sizeof(void*) + 4 + alignof(Value) - 1) / alignof(Value) * alignof(Value);
  constexpr std::uint64_t kSlots = std::max<std::uint64_t>(4, (kTarget - kOverhead) / sizeof(Value));
  if (c.empty()) return 0;
  std::vector<std::uintptr_t> inner;
  bool in_leaf = false;
  std::uintptr_t previous = 0;
  for (const auto& element : c) {
    const auto at = reinterpret_cast<std::uintptr_t>(std::addressof(element));
    const bool leaves_leaf = in_leaf && at != previous + sizeof(Value);
    if (leaves_leaf) inner.push_back(at);
    in_leaf = !leaves_leaf;
    previous = at;
  }
  const std::uint64_t leaf_bytes = kOverhead + kSlots * sizeof(Value);
  if (inner.empty()) {  // a root that is a leaf grows by doubling
    std::uint64_t slots = 1;
    while (slots < c.size()) slots = std::min(kSlots, slots * 2);
    return HeapBlockBytes(kOverhead + slots * sizeof(Value)) + OwnedByElements(c);
  }
  std::sort(inner.begin(), inner.end());
  std::uint64_t inner_nodes = 1;
  for (std::size_t i = 1; i < inner.size(); ++i) inner_nodes += inner[i] != inner[i - 1] + sizeof(Value);
  const std::uint64_t inner_bytes = (leaf_bytes + 7) / 8 * 8 + (kSlots + 1) * sizeof(void*);
  return (inner.size() + 1) * HeapBlockBytes(leaf_bytes) + inner_nodes * HeapBlockBytes(inner_bytes) + OwnedByElements(c);
}

}  // namespace internal

template <class A, class B>
struct OwnedBytes<std::pair<A, B>> {
  static std::uint64_t Of(const std::pair<A, B>& pair) {
    return FootprintOf<std::remove_const_t<A>>(pair.first) + FootprintOf<std::remove_const_t<B>>(pair.second);
  }
};

template <class T, std::size_t N>
struct OwnedBytes<std::array<T, N>> {
  static std::uint64_t Of(const std::array<T, N>& array) { return internal::OwnedByElements(array); }
};

template <class T>
struct OwnedBytes<std::optional<T>> {
  static std::uint64_t Of(const std::optional<T>& optional) { return optional ? FootprintOf(*optional) : 0; }
};

template <class T>
struct OwnedBytes<std::unique_ptr<T>> {
  static std::uint64_t Of(const std::unique_ptr<T>& pointer) { return pointer ? HeapBlockBytes(sizeof(T)) + FootprintOf(*pointer) : 0; }
};

template <class C>
struct OwnedBytes<std::basic_string<C>> {
  static std::uint64_t Of(const std::basic_string<C>& string) {
    const auto* data = reinterpret_cast<const std::byte*>(string.data());
    const auto* object = reinterpret_cast<const std::byte*>(&string);
    const bool inside = data >= object && data < object + sizeof string;
    return inside ? 0 : HeapBlockBytes((string.capacity() + 1) * sizeof(C));
  }
};

template <class T>
struct OwnedBytes<std::vector<T>> {
  static std::uint64_t Of(const std::vector<T>& vector) {
    return HeapBlockBytes(vector.capacity() * sizeof(T)) + internal::OwnedByElements(vector);
  }
};

template <>
struct OwnedBytes<std::vector<bool>> {
  static std::uint64_t Of(const std::vector<bool>& vector) { return HeapBlockBytes((vector.capacity() + 63) / 64 * 8); }
};

template <class T>
struct OwnedBytes<std::deque<T>> {
  static std::uint64_t Of(const std::deque<T>& deque) {
    constexpr std::uint64_t kBlock = sizeof(T) < 512 ? 512 / sizeof(T) * sizeof(T) : sizeof(T);
    const std::uint64_t blocks = deque.size() * sizeof(T) / kBlock + 1;
    return HeapBlockBytes(std::max<std::uint64_t>(8, blocks + 2) * sizeof(void*)) + blocks * HeapBlockBytes(kBlock) + internal::OwnedByElements(deque);
  }
};

template <class T>
struct OwnedBytes<std::list<T>> {
  static std::uint64_t Of(const std::list<T>& list) { return internal::NodesBytes<internal::ListNode<T>>(list, list.size()); }
};

template <class T>
struct OwnedBytes<std::forward_list<T>> {
  static std::uint64_t Of(const std::forward_list<T>& list) {
    return internal::NodesBytes<internal::ForwardListNode<T>>(list, static_cast<std::uint64_t>(std::distance(list.begin(), list.end())));
  }
};

template <class... T>
struct OwnedBytes<std::set<T...>> : internal::OwnedByTree<std::set<T...>> {};
template <class... T>
struct OwnedBytes<std::multiset<T...>> : internal::OwnedByTree<std::multiset<T...>> {};
template <class... T>
struct OwnedBytes<std::map<T...>> : internal::OwnedByTree<std::map<T...>> {};
template <class... T>
struct OwnedBytes<std::multimap<T...>> : internal::OwnedByTree<std::multimap<T...>> {};
template <class... T>
struct OwnedBytes<std::unordered_set<T...>> : internal::OwnedByUnordered<std::unordered_set<T...>> {};
template <class... T>
struct OwnedBytes<std::unordered_multiset<T...>> : internal::OwnedByUnordered<std::unordered_multiset<T...>> {};
template <class... T>
struct OwnedBytes<std::unordered_map<T...>> : internal::OwnedByUnordered<std::unordered_map<T...>> {};
template <class... T>
struct OwnedBytes<std::unordered_multimap<T...>> : internal::OwnedByUnordered<std::unordered_multimap<T...>> {};

template <internal::SwissTable T>
struct OwnedBytes<T> {
  static std::uint64_t Of(const T& table) { return internal::SwissTableBytes(table); }
};

template <internal::BTree T>
struct OwnedBytes<T> {
  static std::uint64_t Of(const T& tree) { return internal::BTreeBytes(tree); }
};

}  // namespace thimble
