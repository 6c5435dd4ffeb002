#include "token_trie.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace thimble::internal {

TokenTrie::TokenTrie(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
  std::vector<Draft> drafts;
  drafts.reserve(entries.size() + entries.size() / 2 + 1);
  drafts.push_back({0, kNone, 0, {}});
  Grow(entries, 0, entries.size(), 0, 0, drafts);

  nodes_.resize(2 * drafts.size());
  ending_.resize(nodes_.size() + 1, kNone);
  std::vector<std::uint32_t> number(drafts.size(), kRoot);
  ending_[kRoot] = drafts[0].ending;
  for (std::size_t i = 1; i < drafts.size(); ++i) {
    Node& node = drafts[i].node;
    node.key = number[drafts[i].above] << 8 | drafts[i].byte;
    std::size_t slot = SlotOf(node.key);
    while (nodes_[slot].key != kNone) slot = Behind(slot);
    nodes_[slot] = node;
    number[i] = static_cast<std::uint32_t>(slot + 1);
    ending_[slot + 1] = drafts[i].ending;
    if (drafts[i].above == 0) starts_[drafts[i].byte] = {number[i], node};
  }
}

// Completes a draft, whose `depth` bytes are those that entries `first` to `last` - 1 begin with.
void TokenTrie::Grow(const std::vector<Entry>& entries, std::size_t first, std::size_t last, std::size_t depth, std::uint32_t draft,
                     std::vector<Draft>& drafts) {
  for (; first < last && entries[first].text.size() == depth; ++first) {
    if (entries[first].end) {
      drafts[draft].ending = entries[first].index;
    } else {
      drafts[draft].node.token = entries[first].index;
      drafts[draft].node.cost = entries[first].cost;
    }
  }
  while (first < last) {
    const std::string_view text = entries[first].text;
    std::size_t behind = first + 1;
    while (behind < last && entries[behind].text[depth] == text[depth]) ++behind;
    // Down to where the next of these texts ends or they part: what the first and the last share, they all share. The first
    // step is one byte.
    const std::string_view farthest = entries[behind - 1].text;
    std::size_t next = depth + 1;
    while (depth > 0 && next < text.size() && next < farthest.size() && text[next] == farthest[next]) ++next;
    const auto below = static_cast<std::uint32_t>(drafts.size());
    drafts[draft].node.children |= 1u << (static_cast<unsigned char>(text[depth]) % 32);
    const std::size_t size = next - depth - 1;
    drafts.push_back({draft, kNone, static_cast<std::uint8_t>(text[depth]), {}});
    drafts.back().node.label = static_cast<std::uint32_t>(labels_.size() << 8 | size);
    labels_ += text.substr(depth + 1, size);
    Grow(entries, first, behind, next, below, drafts);
    first = behind;
  }
}

// From the back: the cheapest way to write each suffix.
void TokenParser::Plan(std::string_view piece, bool end) {
  const std::size_t size = piece.size();
  if (steps_.size() < size + 1) steps_.resize(size + 1);
  steps_[size].cost = end ? costs_[trie_.EndTokenAt(TokenTrie::kRoot)] : 0;
  for (std::size_t at = size; at-- > 0;) {
    const TokenTrie::Start& start = trie_.Begin(static_cast<std::uint8_t>(piece[at]));
    const TokenTrie::Node* node = &start.node;
    std::uint32_t number = start.number;
    std::size_t next = at + 1;
    std::uint32_t cost = node->cost + steps_[next].cost;
    std::uint16_t token = node->token;
    std::size_t behind = next;
    while (next < size && node->MayLeadOn(piece[next])) {
      node = trie_.Down(number, piece, next);
      if (node == nullptr) break;
      const std::uint32_t through = node->cost + steps_[next].cost;
      const bool better = through < cost;
      cost = better ? through : cost;
      token = better ? node->token : token;
      behind = better ? next : behind;
    }
    bool ends = false;
    if (end && next == size) {
      if (const std::uint32_t last = trie_.EndTokenAt(number); last != TokenTrie::kNone && costs_[last] < cost) {
        cost = costs_[last];
        token = static_cast<std::uint16_t>(last);
        behind = size;
        ends = true;
      }
    }
    steps_[at] = {cost, token, static_cast<std::uint16_t>(behind - at), ends};
  }
}

std::uint32_t TokenParser::CostOfParts(std::string_view text, bool end) {
  Plan(text.substr(1), end);
  const auto rest = [&](std::size_t from) { return steps_[from - 1].cost; };
  const TokenTrie::Start& start = trie_.Begin(static_cast<std::uint8_t>(text[0]));
  std::uint32_t number = start.number;
  std::uint32_t least = start.node.cost + rest(1);
  const TokenTrie::Node* node = &start.node;
  for (std::size_t next = 1; next < text.size() && node->MayLeadOn(text[next]);) {
    node = trie_.Down(number, text, next);
    if (node == nullptr || (next == text.size() && !end)) break;
    least = std::min(least, node->cost + rest(next));
  }
  return least;
}

}  // namespace thimble::internal
