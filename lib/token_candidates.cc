#include "token_candidates.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "thimble/buffer.h"

namespace thimble::internal {
namespace {

constexpr std::uint16_t kStringEnd = 256;
constexpr int kRounds = 20;
constexpr std::uint32_t kMinPairs = 3;

// Counts pairs of neighbours, then maps the chosen ones to the token that joins them.
class PairTable {
 public:
  explicit PairTable(std::size_t symbols) {
    std::size_t slots = 1 << 12;
    while (slots < symbols / 8 && slots < kMaxSlots) slots *= 2;
    room_ = Buffer::Heap(slots * sizeof(Pair));
    pairs_ = {reinterpret_cast<Pair*>(room_.data()), slots};
  }

  void Clear() {
    std::fill(pairs_.begin(), pairs_.end(), Pair{});
    used_ = 0;
  }

  // Pairs that come first when the table is full are not counted: by then the frequent ones are in.
  void Count(std::uint32_t key) {
    Pair& pair = Slot(key);
    if (pair.value == 0) {
      if (used_ * 4 > pairs_.size() * 3) return;
      ++used_;
      pair.key = key;
    }
    ++pair.value;
  }

  // The most frequent pairs, at most so many, most frequent first; ends the table's use until Clear. They are sorted where they
  // lie: a list of all would be half as large as the table.
  std::vector<std::uint32_t> TakeFrequent(std::size_t most) {
    const auto behind = std::remove_if(pairs_.begin(), pairs_.end(), [](const Pair& pair) { return pair.value < kMinPairs; });
    const auto chosen = pairs_.begin() + std::min<std::ptrdiff_t>(behind - pairs_.begin(), static_cast<std::ptrdiff_t>(most));
    std::partial_sort(pairs_.begin(), chosen, behind, [](const Pair& a, const Pair& b) {
      return std::tie(a.value, a.key) > std::tie(b.value, b.key);
    });
    std::vector<std::uint32_t> keys;
    keys.reserve(static_cast<std::size_t>(chosen - pairs_.begin()));
    for (auto pair = pairs_.begin(); pair != chosen; ++pair) keys.push_back(pair->key);
    return keys;
  }

  void Set(std::uint32_t key, std::uint32_t value) { Slot(key) = {key, value}; }
  std::uint32_t ValueOf(std::uint32_t key) { return Slot(key).value; }

 private:
  static constexpr std::size_t kMaxSlots = std::size_t{1} << 19;
  struct Pair {
    std::uint32_t key, value;
  };

  Pair& Slot(std::uint32_t key) {
    const std::size_t mask = pairs_.size() - 1;
    std::size_t slot = (key * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) & mask;
    while (pairs_[slot].value != 0 && pairs_[slot].key != key) slot = (slot + 1) & mask;
    return pairs_[slot];
  }

  Buffer room_;  // large ones go back to the system
  std::span<Pair> pairs_;
  std::size_t used_ = 0;
};

std::uint32_t KeyOf(std::uint16_t a, std::uint16_t b) { return std::uint32_t{a} << 16 | b; }

// A candidate as it was joined: its text is that of the two. They are many, and a token takes eight times as much.
struct Joint {
  std::uint16_t left = 0, right = 0;
  std::uint8_t size = 1;
  bool end = false;
};

// Joins frequent pairs of neighbours, again and again, until there are `limit` candidates: after the 256 bytes, whose numbers
// they are, and the empty end.
std::vector<Joint> JoinPairs(const TokenSample& sample, std::size_t limit, bool ends) {
  std::vector<Joint> joints(kStringEnd + 1);
  joints[kStringEnd] = {.size = 0, .end = true};
  joints.reserve(std::max(limit, joints.size()));
  Buffer room = Buffer::Heap((sample.text_bytes() + sample.strings()) * sizeof(std::uint16_t));
  std::span<std::uint16_t> text(reinterpret_cast<std::uint16_t*>(room.data()), sample.text_bytes() + sample.strings());
  sample.Each([&, to = text.data()](std::string_view string) mutable {
    for (const char c : string) *to++ = static_cast<std::uint8_t>(c);
    *to++ = kStringEnd;
  });

  PairTable table(text.size());
  for (int round = 1; round <= kRounds; ++round) {
    const double share = std::pow(static_cast<double>(round) / kRounds, 1.5);
    const auto target = static_cast<std::size_t>(static_cast<double>(limit) * share);
    if (target <= joints.size()) continue;

    table.Clear();
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      const Joint& a = joints[text[i]];
      const Joint& b = joints[text[i + 1]];
      if (a.end || (b.end && !ends) || a.size + b.size > static_cast<int>(TokenTable::kMaxText)) continue;
      table.Count(KeyOf(text[i], text[i + 1]));
    }
    const std::vector<std::uint32_t> frequent = table.TakeFrequent(target - joints.size());
    if (frequent.empty()) break;

    table.Clear();
    for (const std::uint32_t key : frequent) {
      const auto left = static_cast<std::uint16_t>(key >> 16), right = static_cast<std::uint16_t>(key);
      table.Set(key, static_cast<std::uint32_t>(joints.size()));
      joints.push_back({left, right, static_cast<std::uint8_t>(joints[left].size + joints[right].size), joints[right].end});
    }
    std::size_t out = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::uint16_t symbol = text[i];
      if (i + 1 < text.size()) {
        if (const std::uint32_t joined = table.ValueOf(KeyOf(symbol, text[i + 1])); joined != 0) {
          symbol = static_cast<std::uint16_t>(joined);
          ++i;
        }
      }
      text[out++] = symbol;
    }
    text = text.first(out);
  }
  return joints;
}

}  // namespace

std::vector<Token> CandidateTokens(const TokenSample& sample, std::size_t limit, bool ends) {
  limit = std::min<std::size_t>(limit, 60000);
  const std::vector<Joint> joints = JoinPairs(sample, limit, ends);
  std::vector<Token> tokens;
  tokens.reserve(joints.size());
  for (int byte = 0; byte < 256; ++byte) tokens.push_back({std::string(1, static_cast<char>(byte)), false});
  tokens.push_back({"", true});
  for (const Joint& joint : std::span(joints).subspan(tokens.size())) {
    tokens.push_back({tokens[joint.left].text + tokens[joint.right].text, joint.end});
  }

  // The same text can be joined in two ways.
  const auto key = [](const Token& token) { return std::tie(token.text, token.end); };
  std::sort(tokens.begin(), tokens.end(), [&](const Token& a, const Token& b) { return key(a) < key(b); });
  tokens.erase(std::unique(tokens.begin(), tokens.end(), [&](const Token& a, const Token& b) { return key(a) == key(b); }), tokens.end());
  std::erase_if(tokens, [&](const Token& token) { return token.end && !ends; });
  return tokens;
}

}  // namespace thimble::internal
