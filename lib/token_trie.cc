#include "token_trie.h"

#include <limits>
#include <utility>

namespace thimble::internal {

void TokenTrie::Resize(std::size_t slots) {
  std::vector<Edge> before = std::exchange(edges_, std::vector<Edge>(slots));
  mask_ = slots - 1;
  for (const Edge& edge : before) {
    if (edge.child == kRoot) continue;
    std::size_t slot = SlotOf(edge.key);
    while (edges_[slot].child != kRoot) slot = (slot + 1) & mask_;
    edges_[slot] = edge;
  }
}

void TokenTrie::Add(std::string_view text, bool end, std::uint32_t index) {
  std::uint32_t node = kRoot;
  for (const char c : text) {
    const std::uint32_t key = node << 8 | static_cast<std::uint8_t>(c);
    std::size_t slot = SlotOf(key);
    while (edges_[slot].child != kRoot && edges_[slot].key != key) slot = (slot + 1) & mask_;
    if (edges_[slot].child == kRoot) {
      edges_[slot] = {key, static_cast<std::uint32_t>(nodes_.size())};
      nodes_.emplace_back();
      node = edges_[slot].child;
      if (nodes_.size() * 2 > edges_.size()) Resize(edges_.size() * 2);
    } else {
      node = edges_[slot].child;
    }
  }
  (end ? nodes_[node].ending : nodes_[node].plain) = index;
}

// From the back: the cheapest way to write each suffix.
void TokenParser::Plan(std::string_view piece, bool end) {
  const std::size_t size = piece.size();
  if (steps_.size() < size + 1) steps_.resize(size + 1);
  const std::uint32_t bare_end = trie_.EndTokenAt(TokenTrie::kRoot);
  steps_[size].cost = end ? costs_[bare_end] : 0;
  for (std::size_t at = size; at-- > 0;) {
    Step best{std::numeric_limits<float>::max(), 0, 1, false};
    std::uint32_t node = TokenTrie::kRoot;
    for (std::size_t next = at; next < size;) {
      node = trie_.Child(node, static_cast<std::uint8_t>(piece[next]));
      if (node == TokenTrie::kRoot) break;
      ++next;
      const auto length = static_cast<std::uint32_t>(next - at);
      if (const std::uint32_t token = trie_.TokenAt(node); token != TokenTrie::kNone) {
        if (const float cost = costs_[token] + steps_[next].cost; cost < best.cost) best = {cost, token, length, false};
      }
      if (end && next == size) {
        if (const std::uint32_t token = trie_.EndTokenAt(node); token != TokenTrie::kNone && costs_[token] < best.cost) {
          best = {costs_[token], token, length, true};
        }
      }
    }
    steps_[at] = best;
  }
  last_needs_end_ = false;
  if (end) {
    std::size_t at = 0;
    bool ended = false;
    for (; at < size; at += steps_[at].length) ended = steps_[at].ends;
    last_needs_end_ = !ended;
  }
}

}  // namespace thimble::internal
