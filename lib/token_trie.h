#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::internal {

// The tokens as a trie, for the parser: which of them begin at a place of a text, and what their codes cost. Nodes are where
// tokens end or part. They stand in one hash table, each under the node above and the byte that leads to it, so that a step
// down is one access; the number of a node is its slot + 1. Most steps that lead nowhere are told by the node above, without
// an access.
class TokenTrie {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kRoot = 0;
  // Costs are in 32nds of a bit, and a token costs one more than its code: of two ways that cost the same the one with fewer
  // tokens is taken. A node without a token costs more than any 64 tokens.
  static constexpr std::uint16_t kNoToken = 0xffff;
  static constexpr double kCostOfByte = 32 * 8;
  static constexpr std::uint16_t CostOf(unsigned code_bits) { return static_cast<std::uint16_t>(32 * code_bits + 1); }

  struct Entry {
    std::string_view text;
    bool end;
    std::uint16_t index;
    std::uint16_t cost;
  };

  struct Node {
    std::uint32_t key = kNone;   // the number of the node above << 8 | the byte that leads here
    std::uint32_t children = 0;  // bit b % 32 for every byte b that leads on
    std::uint32_t label = 0;     // what follows the byte that leads here: offset in labels_ << 8 | size
    std::uint16_t token = 0;     // the one that ends here and does not end its string
    std::uint16_t cost = kNoToken;

    bool MayLeadOn(char byte) const { return (children >> (static_cast<unsigned char>(byte) % 32) & 1) != 0; }
  };

  TokenTrie() = default;
  // Reorders `entries`.
  explicit TokenTrie(std::vector<Entry>& entries);

  // Goes from `node` down by the text from `at` on. If the next node is reached it is returned, and `at` is moved behind its
  // label; else nullptr.
  const Node* Down(std::uint32_t& node, std::string_view text, std::size_t& at) const {
    const std::uint32_t key = node << 8 | static_cast<std::uint8_t>(text[at]);
    for (std::size_t slot = SlotOf(key);; slot = Behind(slot)) {
      const Node& next = nodes_[slot];
      if (next.key != key) {
        if (next.key == kNone) return nullptr;
        continue;
      }
      const std::size_t size = next.label & 0xff;
      if (size > text.size() - at - 1) return nullptr;
      for (std::size_t i = 0; i < size; ++i) {
        if (labels_[(next.label >> 8) + i] != text[at + 1 + i]) return nullptr;
      }
      node = static_cast<std::uint32_t>(slot + 1);
      at += 1 + size;
      return &next;
    }
  }

  // Where a text begins that begins with `byte`: the node behind that byte alone, and its number. Every byte has one in a trie
  // that the parser can use.
  struct Start {
    std::uint32_t number = kNone;
    Node node;
  };
  const Start& Begin(std::uint8_t byte) const { return starts_[byte]; }

  // The token that ends at a node, and its string there.
  std::uint32_t EndTokenAt(std::uint32_t node) const { return ending_[node]; }

 private:
  // A node before it has its place: `above` is its number among the drafts.
  struct Draft {
    std::uint32_t above, ending;
    std::uint8_t byte;
    Node node;
  };

  std::size_t SlotOf(std::uint32_t key) const { return (key * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) * nodes_.size() >> 32; }
  std::size_t Behind(std::size_t slot) const { return slot + 1 == nodes_.size() ? 0 : slot + 1; }
  void Grow(const std::vector<Entry>& entries, std::size_t first, std::size_t last, std::size_t depth, std::uint32_t draft,
            std::vector<Draft>& drafts);

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::array<Start, 256> starts_;  // the nodes of depth 1 once more: every walk begins there
  std::vector<std::uint32_t> ending_ = std::vector<std::uint32_t>(1, kNone);
  std::string labels_;
};

// Cuts texts into tokens at the least total cost.
class TokenParser {
 public:
  // `costs[index]` of every token of the trie; both outlive the parser. Every single byte must be a token, and the empty end
  // if strings end in tokens.
  TokenParser(const TokenTrie& trie, const std::vector<std::uint16_t>& costs, bool ends) : trie_(trie), costs_(costs), ends_(ends) {}

  // Calls emit(index) for each token of `text`, its end included.
  template <class Emit>
  void Parse(std::string_view text, Emit emit) {
    // A long text is cut, so that the plan stays small.
    for (; text.size() > kPiece; text.remove_prefix(kPiece)) Run(text.substr(0, kPiece), false, emit);
    Run(text, ends_, emit);
  }

  // What it costs to write a token's text with other tokens: plain ones only, or to the end of its string. Requires: the text is
  // not empty, and if it is one byte then `end`.
  std::uint32_t CostOfParts(std::string_view text, bool end);

 private:
  static constexpr std::size_t kPiece = 4096;

  void Plan(std::string_view piece, bool end);

  template <class Emit>
  void Run(std::string_view piece, bool end, Emit emit) {
    Plan(piece, end);
    bool ended = false;
    for (std::size_t at = 0; at < piece.size(); at += steps_[at].length) {
      emit(steps_[at].token);
      ended = steps_[at].ends;
    }
    if (end && !ended) emit(trie_.EndTokenAt(TokenTrie::kRoot));
  }

  struct Step {
    std::uint32_t cost;
    std::uint16_t token;
    std::uint16_t length;
    bool ends;
  };

  const TokenTrie& trie_;
  const std::vector<std::uint16_t>& costs_;
  bool ends_;
  std::vector<Step> steps_;
};

}  // namespace thimble::internal
