#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace thimble::internal {

// The tokens as a trie, for the parser: which of them begin at a place of a text. Edges stand in one hash table.
class TokenTrie {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kRoot = 0;

  TokenTrie() : nodes_(1) { Resize(1 << 10); }

  // Gives the token `index` its text; `end` says that it also ends the string.
  void Add(std::string_view text, bool end, std::uint32_t index);

  // The node below `node` by `byte`, or kRoot if there is none.
  std::uint32_t Child(std::uint32_t node, std::uint8_t byte) const {
    const std::uint32_t key = node << 8 | byte;
    for (std::size_t slot = SlotOf(key);; slot = (slot + 1) & mask_) {
      if (edges_[slot].child == kRoot || edges_[slot].key == key) return edges_[slot].child;
    }
  }

  std::uint32_t TokenAt(std::uint32_t node) const { return nodes_[node].plain; }
  std::uint32_t EndTokenAt(std::uint32_t node) const { return nodes_[node].ending; }

 private:
  struct Node {
    std::uint32_t plain = kNone, ending = kNone;
  };
  struct Edge {
    std::uint32_t key = 0, child = kRoot;
  };

  std::size_t SlotOf(std::uint32_t key) const { return (key * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) & mask_; }
  void Resize(std::size_t slots);

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::size_t mask_ = 0;
};

// Cuts texts into tokens at the least total cost.
class TokenParser {
 public:
  // `costs[index]` of every token of the trie; both outlive the parser. Every single byte must be a token, and the empty end
  // if strings end in tokens.
  TokenParser(const TokenTrie& trie, const std::vector<float>& costs, bool ends) : trie_(trie), costs_(costs), ends_(ends) {}

  // Calls emit(index) for each token of `text`, its end included.
  template <class Emit>
  void Parse(std::string_view text, Emit emit) {
    // A long text is cut, so that the plan stays small.
    for (; text.size() > kPiece; text.remove_prefix(kPiece)) Run(text.substr(0, kPiece), false, emit);
    Run(text, ends_, emit);
  }

 private:
  static constexpr std::size_t kPiece = 4096;

  void Plan(std::string_view piece, bool end);

  template <class Emit>
  void Run(std::string_view piece, bool end, Emit emit) {
    Plan(piece, end);
    for (std::size_t at = 0; at < piece.size(); at += steps_[at].length) emit(steps_[at].token);
    if (end && (piece.empty() || last_needs_end_)) emit(trie_.EndTokenAt(TokenTrie::kRoot));
  }

  struct Step {
    float cost;
    std::uint32_t token;
    std::uint32_t length;
    bool ends;
  };

  const TokenTrie& trie_;
  const std::vector<float>& costs_;
  bool ends_;
  bool last_needs_end_ = false;
  std::vector<Step> steps_;
};

}  // namespace thimble::internal
