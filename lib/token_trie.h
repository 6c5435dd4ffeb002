#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::internal {

// The tokens as a trie, for the parser: which of them begin at a place of a text. Nodes are where tokens end or part; the
// edges stand in one hash table.
class TokenTrie {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kRoot = 0;

  // tokens[i] is `text(i)`; those without a code are left out.
  struct Entry {
    std::string_view text;
    bool end;
    std::uint32_t index;
  };

  TokenTrie() = default;
  // Reorders `entries`.
  explicit TokenTrie(std::vector<Entry>& entries);

  // Goes from `node` down by the text behind it; true if the next node is reached, whose depth is added to `at`.
  bool Down(std::uint32_t& node, std::string_view text, std::size_t& at) const {
    const std::uint32_t key = node << 8 | static_cast<std::uint8_t>(text[at]);
    for (std::size_t slot = SlotOf(key);; slot = (slot + 1) & mask_) {
      const Edge& edge = edges_[slot];
      if (edge.child == kRoot) return false;
      if (edge.key != key) continue;
      if (edge.label_size > text.size() - at - 1) return false;
      for (std::size_t i = 0; i < edge.label_size; ++i) {
        if (labels_[edge.label + i] != text[at + 1 + i]) return false;
      }
      node = edge.child;
      at += 1 + edge.label_size;
      return true;
    }
  }

  std::uint32_t TokenAt(std::uint32_t node) const { return nodes_[node].plain; }
  std::uint32_t EndTokenAt(std::uint32_t node) const { return nodes_[node].ending; }

 private:
  struct Node {
    std::uint32_t plain = kNone, ending = kNone;
  };
  struct Edge {
    std::uint32_t key = 0, child = kRoot, label = 0, label_size = 0;
  };

  std::size_t SlotOf(std::uint32_t key) const { return (key * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) & mask_; }
  void Grow(const std::vector<Entry>& entries, std::size_t first, std::size_t last, std::size_t depth, std::uint32_t node);
  void AddEdge(std::uint32_t node, std::string_view label, std::uint32_t child);

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<Edge> edges_ = std::vector<Edge>(1);
  std::string labels_;
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
    bool ended = false;
    for (std::size_t at = 0; at < piece.size(); at += steps_[at].length) {
      emit(steps_[at].token);
      ended = steps_[at].ends;
    }
    if (end && !ended) emit(trie_.EndTokenAt(TokenTrie::kRoot));
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
  std::vector<Step> steps_;
};

}  // namespace thimble::internal
