#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "token_codes.h"
#include "token_trie.h"

namespace thimble::internal {

// How the codes of tokens are written. Part of the format.
enum class TokenCoding : std::uint8_t {
  kBytes = 0,  // ByteCode: one or two bytes; strings end in tokens
  kBits = 1,   // BitCode: prefix codes; strings end in tokens
  kWords = 2,  // two bytes each; the ends of strings are kept elsewhere
};

// Strings to learn from, in the order of the data: length (varint) and bytes of each.
class TokenSample {
 public:
  void Add(std::string_view text);
  void DropOneIn(std::size_t strings);
  std::size_t text_bytes() const { return text_bytes_; }
  std::size_t strings() const { return strings_; }
  void Clear() { *this = {}; }

  // Calls visit(text) for the strings of every `step`-th run of 32.
  template <class Visit>
  void Each(Visit visit, std::size_t step = 1) const {
    std::size_t index = 0;
    const auto* at = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    const auto* end = at + bytes_.size();
    while (at < end) {
      std::size_t size = 0;
      for (unsigned shift = 0;; shift += 7) {
        size |= std::size_t{*at & 0x7fu} << shift;
        if (*at++ < 0x80) break;
      }
      if (index++ / 32 % step == 0) visit(std::string_view(reinterpret_cast<const char*>(at), size));
      at += size;
    }
  }

 private:
  static constexpr std::size_t kMaxSizeBytes = 10;
  static std::size_t PutSize(std::size_t size, char* to);

  std::vector<char> bytes_;
  std::size_t text_bytes_ = 0, strings_ = 0;
};

struct Token {
  std::string text;
  bool end = false;
  double uses = 0;
};

// The tokens that a structure is written with, in the order of its table, and the code of each.
class TokenBook {
 public:
  // Learns from `sample`, which is one `scale`-th of the data: the number of tokens is where tokens and table together are
  // smallest. Every single byte is a token, so that whatever is not in the sample can be written too.
  static TokenBook Learn(const TokenSample& sample, TokenCoding coding, double scale);

  TokenCoding coding() const { return coding_; }
  unsigned lead() const { return lead_; }
  unsigned stop() const { return stop_; }
  std::size_t size() const { return tokens_.size(); }
  const std::string& arena() const { return arena_; }
  std::uint32_t Entry(std::size_t index) const { return entries_[index]; }
  // 0 for the empty token.
  std::byte FirstByte(std::size_t index) const {
    return tokens_[index].text.empty() ? std::byte{0} : static_cast<std::byte>(tokens_[index].text.front());
  }
  const BitCode::Lengths& lengths() const { return lengths_; }
  BitCode::Quick QuickLengths() const;
  std::size_t table_bytes() const { return 4 * tokens_.size() + arena_.size(); }

  const TokenTrie& trie() const { return trie_; }
  const std::vector<std::uint16_t>& costs() const { return costs_; }
  // The code of token `index` and its length in bits.
  std::uint32_t code(std::size_t index) const { return codes_[index].code; }
  unsigned code_bits(std::size_t index) const { return codes_[index].bits; }

 private:
  struct Code {
    std::uint32_t code = 0;
    unsigned bits = 0;
  };

  // What the tokens come to, and those that have a code, with their uses and what they save beyond what they take.
  struct Survey {
    double bytes = 0;
    std::vector<Token> tokens;
    std::vector<double> worth;
  };

  // Without an arena: books are made to be tried.
  TokenBook(std::vector<Token> tokens, TokenCoding coding);
  Survey Use(const TokenSample& sample, std::size_t step, double total) &&;
  // False if all are worth it.
  static bool DropWorthless(Survey* survey, TokenCoding coding);
  void AssignByteCodes(std::vector<Token> tokens);
  void AssignBitCodes(std::vector<Token> tokens);
  void AssignWordCodes(std::vector<Token> tokens);
  void BuildArena();

  TokenCoding coding_;
  unsigned lead_ = 0, stop_ = 0;
  std::vector<Token> tokens_;
  std::vector<Code> codes_;
  std::vector<std::uint16_t> costs_;
  std::vector<std::uint32_t> entries_;
  std::string arena_;
  BitCode::Lengths lengths_;
  TokenTrie trie_;
};

// Writes strings in the codes of a book.
class TokenWriter {
 public:
  explicit TokenWriter(const TokenBook& book)
      : book_(book), parser_(book.trie(), book.costs(), book.coding() != TokenCoding::kWords) {}

  // Appends the codes of `text` to `out`. Bit codes go on from the last byte's free bits: see Flush.
  void Write(std::string_view text, std::string* out);

  // Ends a run of bit codes at a whole byte.
  void Flush(std::string* out);

 private:
  const TokenBook& book_;
  TokenParser parser_;
  std::uint64_t pending_ = 0;
  unsigned pending_bits_ = 0;
};

}  // namespace thimble::internal
