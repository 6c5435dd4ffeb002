#include "token_trie.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace thimble::internal {

TokenTrie::TokenTrie(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
  // Nodes are at most two for each text.
  edges_.resize(std::bit_ceil(4 * entries.size() + 4));
  mask_ = edges_.size() - 1;
  Grow(entries, 0, entries.size(), 0, kRoot);
}

void TokenTrie::AddEdge(std::uint32_t node, std::string_view label, std::uint32_t child) {
  const std::uint32_t key = node << 8 | static_cast<std::uint8_t>(label[0]);
  std::size_t slot = SlotOf(key);
  while (edges_[slot].child != kRoot) slot = (slot + 1) & mask_;
  edges_[slot] = {key, child, static_cast<std::uint32_t>(labels_.size()), static_cast<std::uint32_t>(label.size() - 1)};
  labels_ += label.substr(1);
}

// Completes `node`, whose `depth` bytes are those that entries `first` to `last` - 1 begin with.
void TokenTrie::Grow(const std::vector<Entry>& entries, std::size_t first, std::size_t last, std::size_t depth, std::uint32_t node) {
  for (; first < last && entries[first].text.size() == depth; ++first) {
    (entries[first].end ? nodes_[node].ending : nodes_[node].plain) = entries[first].index;
  }
  while (first < last) {
    const std::string_view text = entries[first].text;
    std::size_t behind = first + 1;
    while (behind < last && entries[behind].text[depth] == text[depth]) ++behind;
    // Down to where the next of these texts ends or they part: what the first and the last share, they all share.
    const std::string_view farthest = entries[behind - 1].text;
    std::size_t next = depth + 1;
    while (next < text.size() && next < farthest.size() && text[next] == farthest[next]) ++next;
    const auto child = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    AddEdge(node, text.substr(depth, next - depth), child);
    Grow(entries, first, behind, next, child);
    first = behind;
  }
}

// From the back: the cheapest way to write each suffix.
void TokenParser::Plan(std::string_view piece, bool end) {
  const std::size_t size = piece.size();
  if (steps_.size() < size + 1) steps_.resize(size + 1);
  steps_[size].cost = end ? costs_[trie_.EndTokenAt(TokenTrie::kRoot)] : 0;
  for (std::size_t at = size; at-- > 0;) {
    Step best{std::numeric_limits<float>::max(), 0, 1, false};
    std::uint32_t node = TokenTrie::kRoot;
    for (std::size_t next = at; next < size && trie_.Down(node, piece, next);) {
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
}

}  // namespace thimble::internal
