#include "token_book.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "prefix_lengths.h"
#include "token_arena.h"
#include "token_candidates.h"

namespace thimble::internal {
namespace {

// What a token must save: its entry in the table, and what the overlaps in the arena leave of its text. With prefix codes
// more than that, because without it its parts were used more often, and cost less than they do now.
double TableBytes(const Token& token, TokenCoding coding) {
  return 5 + (coding == TokenCoding::kBits ? 0.6 : 0.45) * static_cast<double>(token.text.size());
}

bool Obligatory(const Token& token) { return token.end ? token.text.empty() : token.text.size() == 1; }

void SortByUses(std::vector<Token>* tokens) {
  std::stable_sort(tokens->begin(), tokens->end(), [](const Token& a, const Token& b) { return a.uses > b.uses; });
}

// The `keep` tokens used most, and the obligatory ones; most used first.
std::vector<Token> MostUsed(std::vector<Token> tokens, std::size_t keep) {
  SortByUses(&tokens);
  std::size_t optional = keep;
  for (const Token& token : tokens) optional -= Obligatory(token) && optional > 0;
  std::vector<Token> kept;
  kept.reserve(std::min(tokens.size(), keep + 257));
  for (Token& token : tokens) {
    if (!Obligatory(token)) {
      if (optional == 0 || token.uses == 0) continue;
      --optional;
    }
    kept.push_back(std::move(token));
  }
  return kept;
}

// The least byte that ends a string, for this many lead bytes: the one with which the tokens kept save most. 0 if the
// obligatory tokens do not fit.
unsigned BestStop(const std::vector<Token>& ending, const std::vector<Token>& plain, unsigned lead) {
  const auto sums = [](const std::vector<Token>& tokens) {
    std::vector<double> sum{0};
    for (const Token& token : tokens) sum.push_back(sum.back() + token.uses);
    return sum;
  };
  const std::vector<double> end_sum = sums(ending), plain_sum = sums(plain);
  const auto unused_bytes = static_cast<std::size_t>(
      std::count_if(plain.begin(), plain.end(), [](const Token& token) { return Obligatory(token) && token.uses == 0; }));
  double best = -1;
  unsigned best_stop = 0;
  for (unsigned stop = std::max(lead, 1u); stop < 256; ++stop) {
    const std::size_t end_single = 256 - stop, plain_single = stop - lead;
    const std::size_t end_all = end_single * (lead + 1), plain_all = plain_single + std::size_t{lead} * stop;
    if (plain_all < 256) continue;
    // A code of two bytes saves about two, one of one byte three. Bytes that nobody used must have a code all the same.
    const auto value = [](const std::vector<double>& sum, std::size_t single, std::size_t all) {
      return sum[std::min(single, sum.size() - 1)] + 2 * sum[std::min(all, sum.size() - 1)];
    };
    const double total = value(end_sum, end_single, end_all) + value(plain_sum, plain_single, plain_all - unused_bytes);
    if (total > best) {
      best = total;
      best_stop = stop;
    }
  }
  return best_stop;
}

// Lengths of a prefix code for tokens sorted by falling use.
std::vector<unsigned> CodeLengths(const std::vector<Token>& tokens) {
  std::vector<double> uses;
  uses.reserve(tokens.size());
  for (const Token& token : tokens) uses.push_back(token.uses);
  return PrefixLengths(uses, BitCode::kMaxBits);
}

// How many tokens to begin with.
std::size_t FirstTarget(double total_bytes, TokenCoding coding) {
  switch (coding) {
    case TokenCoding::kBytes: return static_cast<std::size_t>(std::clamp(total_bytes / 300, 300.0, 32768.0));
    case TokenCoding::kBits: return static_cast<std::size_t>(std::clamp(total_bytes / 50, 300.0, 32768.0));
    case TokenCoding::kWords: break;
  }
  return static_cast<std::size_t>(std::clamp(total_bytes / 100, 300.0, 65536.0));
}

// How much of the sample tells which tokens are used, and how the sizes compare. Words are many, and each saves little: rare
// ones show in much text only.
std::size_t PassBytes(TokenCoding coding) {
  switch (coding) {
    case TokenCoding::kBytes: return std::size_t{3} << 19;
    case TokenCoding::kBits: return std::size_t{4} << 20;
    case TokenCoding::kWords: break;
  }
  return std::size_t{16} << 20;
}

// How often each token is used when all cost the same.
void CountUses(const TokenSample& sample, std::size_t step, bool ends, std::vector<Token>* tokens) {
  const std::vector<std::uint16_t> even(tokens->size(), TokenTrie::CostOf(16));
  std::vector<TokenTrie::Entry> entries;
  entries.reserve(tokens->size());
  for (const Token& token : *tokens) {
    entries.push_back({token.text, token.end, static_cast<std::uint16_t>(entries.size()), even[0]});
  }
  const TokenTrie trie(entries);
  TokenParser parser(trie, even, ends);
  sample.Each([&](std::string_view text) { parser.Parse(text, [&](std::uint32_t i) { (*tokens)[i].uses += 1; }); }, step);
}

}  // namespace

std::size_t TokenSample::PutSize(std::size_t size, char* to) {
  std::size_t count = 0;
  for (; size >= 0x80; size >>= 7) to[count++] = static_cast<char>(size | 0x80);
  to[count++] = static_cast<char>(size);
  return count;
}

void TokenSample::Add(std::string_view text) {
  // In small steps: doubled, it could be most of what learning takes.
  const std::size_t more = kMaxSizeBytes + text.size();
  if (bytes_.capacity() - bytes_.size() < more) bytes_.reserve(bytes_.size() + bytes_.size() / 8 + more);
  char head[kMaxSizeBytes];
  bytes_.insert(bytes_.end(), head, head + PutSize(text.size(), head));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  text_bytes_ += text.size();
  ++strings_;
}

// In place: what is kept moves towards the front, over what was read.
void TokenSample::DropOneIn(std::size_t strings) {
  char* const begin = bytes_.data();
  std::size_t end = 0, index = 0;
  text_bytes_ = strings_ = 0;
  Each([&](std::string_view text) {
    if (++index % strings == 0) return;
    end += PutSize(text.size(), begin + end);
    std::memmove(begin + end, text.data(), text.size());
    end += text.size();
    text_bytes_ += text.size();
    ++strings_;
  });
  bytes_.resize(end);
}

TokenBook TokenBook::Learn(const TokenSample& sample, TokenCoding coding, double scale) {
  const int most_passes = coding == TokenCoding::kBits ? 14 : 7;
  const bool ends = coding != TokenCoding::kWords;
  const double total = scale * static_cast<double>(sample.text_bytes() + sample.strings());
  const std::size_t target = FirstTarget(total, coding);
  const std::size_t step = 1 + sample.text_bytes() / PassBytes(coding);

  // First every candidate at the same price; then those at the price of their codes that are worth what they take in the
  // table, as long as the whole becomes smaller.
  std::vector<Token> tokens = CandidateTokens(sample, target + target / 2, ends);
  CountUses(sample, step, ends, &tokens);
  tokens = MostUsed(std::move(tokens), target);
  // One book at a time, and no tokens beside it: they are most of the memory that learning takes.
  std::optional<TokenBook> book(TokenBook(std::move(tokens), coding));
  std::vector<Token> best;
  double best_bytes = std::numeric_limits<double>::max();
  for (int pass = 0; pass < most_passes; ++pass) {
    Survey survey = std::move(*book).Use(sample, step, total);
    book.reset();
    if (survey.bytes >= best_bytes) break;
    best_bytes = survey.bytes;
    best = survey.tokens;
    if (pass + 1 == most_passes || !DropWorthless(&survey, coding)) break;
    book.emplace(TokenBook(std::move(survey.tokens), coding));
  }
  book.emplace(TokenBook(std::move(best), coding));
  book->BuildArena();
  return *std::move(book);
}

TokenBook::Survey TokenBook::Use(const TokenSample& sample, std::size_t step, double total) && {
  std::vector<double> uses(size(), 0);
  double bits = 0;
  std::size_t seen = 0;
  TokenParser parser(trie_, costs_, coding_ != TokenCoding::kWords);
  sample.Each(
      [&](std::string_view text) {
        seen += text.size() + 1;
        parser.Parse(text, [&](std::uint32_t i) {
          uses[i] += 1;
          bits += code_bits(i);
        });
      },
      step);
  const double scale = seen == 0 ? 0 : total / static_cast<double>(seen);
  Survey survey;
  survey.bytes = bits / 8 * scale;
  const auto coded = static_cast<std::size_t>(std::count_if(codes_.begin(), codes_.end(), [](const Code& code) { return code.bits > 0; }));
  survey.tokens.reserve(coded);
  survey.worth.reserve(coded);
  for (std::size_t i = 0; i < size(); ++i) {
    if (codes_[i].bits == 0) continue;
    Token& token = tokens_[i];
    token.uses = uses[i];
    survey.bytes += TableBytes(token, coding_);
    double worth = uses[i] == 0 ? std::numeric_limits<double>::lowest() : 0;
    if (Obligatory(token)) {
      worth = std::numeric_limits<double>::max();
    } else if (uses[i] > 0) {
      const std::int64_t saved = std::int64_t{parser.CostOfParts(token.text, token.end)} - costs_[i];
      worth = uses[i] * scale * static_cast<double>(saved) / TokenTrie::kCostOfByte - TableBytes(token, coding_);
    }
    survey.tokens.push_back(std::move(token));
    survey.worth.push_back(worth);
  }
  return survey;
}

// The worst first, and not all at once: what they are written with instead gains by it. The fewer at once, the smaller is
// what comes of it.
bool TokenBook::DropWorthless(Survey* survey, TokenCoding coding) {
  std::vector<std::size_t> worthless;
  for (std::size_t i = 0; i < survey->tokens.size(); ++i) {
    if (survey->worth[i] < 0) worthless.push_back(i);
  }
  const std::size_t drop = std::min(worthless.size(), std::max(survey->tokens.size() / 4, worthless.size() / 3) / (coding == TokenCoding::kBits ? 2 : 1));
  std::stable_sort(worthless.begin(), worthless.end(), [&](std::size_t a, std::size_t b) { return survey->worth[a] < survey->worth[b]; });
  std::vector<bool> dropped(survey->tokens.size(), false);
  for (std::size_t i = 0; i < drop; ++i) dropped[worthless[i]] = true;
  std::vector<Token> kept;
  kept.reserve(survey->tokens.size() - drop);
  for (std::size_t i = 0; i < survey->tokens.size(); ++i) {
    if (!dropped[i]) kept.push_back(std::move(survey->tokens[i]));
  }
  survey->tokens = std::move(kept);
  return drop > 0;
}

TokenBook::TokenBook(std::vector<Token> tokens, TokenCoding coding) : coding_(coding) {
  SortByUses(&tokens);
  switch (coding) {
    case TokenCoding::kBytes: AssignByteCodes(std::move(tokens)); break;
    case TokenCoding::kBits: AssignBitCodes(std::move(tokens)); break;
    case TokenCoding::kWords: AssignWordCodes(std::move(tokens)); break;
  }
  costs_.resize(tokens_.size());
  std::vector<TokenTrie::Entry> entries;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    costs_[i] = TokenTrie::CostOf(codes_[i].bits);
    if (codes_[i].bits != 0) entries.push_back({tokens_[i].text, tokens_[i].end, static_cast<std::uint16_t>(i), costs_[i]});
  }
  trie_ = TokenTrie(entries);
}

void TokenBook::AssignByteCodes(std::vector<Token> tokens) {
  std::vector<Token> ending, plain;
  for (Token& token : tokens) (token.end ? ending : plain).push_back(std::move(token));
  // Literals that nobody used must not be cut off.
  const auto obligatory_first = [](std::vector<Token>* of, std::size_t capacity) {
    if (of->size() <= capacity) return;
    std::vector<Token> kept;
    std::size_t optional = capacity;
    for (const Token& token : *of) optional -= Obligatory(token);
    for (Token& token : *of) {
      if (Obligatory(token)) {
        kept.push_back(std::move(token));
      } else if (optional > 0) {
        kept.push_back(std::move(token));
        --optional;
      }
    }
    *of = std::move(kept);
  };
  lead_ = 2;
  const std::size_t wanted = ending.size() + plain.size();
  while (lead_ < 127 && ByteCode::TableSize(lead_) < wanted) ++lead_;
  stop_ = BestStop(ending, plain, lead_);
  obligatory_first(&ending, std::size_t{256 - stop_} * (lead_ + 1));
  obligatory_first(&plain, stop_ - lead_ + std::size_t{lead_} * stop_);

  tokens_.resize(ByteCode::TableSize(lead_));
  codes_.resize(tokens_.size());
  std::size_t next_end = 0, next_plain = 0;
  for (std::size_t index = 0; index < tokens_.size(); ++index) {
    const bool two = index >= 256 - lead_;
    const std::size_t last = two ? (index - (256 - lead_)) % 256 : index + lead_;
    const std::size_t first = two ? (index - (256 - lead_)) / 256 : 0;
    const bool end = last >= stop_;
    std::vector<Token>& from = end ? ending : plain;
    std::size_t& next = end ? next_end : next_plain;
    tokens_[index].end = end;
    if (next == from.size()) continue;
    tokens_[index] = std::move(from[next++]);
    codes_[index] = {static_cast<std::uint32_t>(two ? first | last << 8 : last), two ? 16u : 8u};
  }
}

void TokenBook::AssignBitCodes(std::vector<Token> tokens) {
  const std::vector<unsigned> lengths = CodeLengths(tokens);
  tokens_ = std::move(tokens);
  codes_.resize(tokens_.size());
  std::uint32_t code = 0;  // left-aligned in kMaxBits
  std::size_t index = 0;
  for (unsigned length = 1; length <= BitCode::kMaxBits; ++length) {
    const unsigned shift = BitCode::kMaxBits - length;
    lengths_.offset[length] = static_cast<std::uint32_t>(index) - (code >> shift);
    const auto first = tokens_.begin() + static_cast<std::ptrdiff_t>(index);
    const auto behind = first + std::count(lengths.begin() + static_cast<std::ptrdiff_t>(index), lengths.end(), length);
    const auto ending = std::stable_partition(first, behind, [](const Token& token) { return !token.end; });
    lengths_.ends[length] = code + (static_cast<std::uint32_t>(ending - first) << shift);
    for (; index < lengths.size() && lengths[index] == length; ++index) {
      codes_[index] = {code >> shift, length};
      code += 1u << shift;
    }
    lengths_.below[length] = code;
  }
}

void TokenBook::AssignWordCodes(std::vector<Token> tokens) {
  tokens_ = std::move(tokens);
  codes_.resize(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) codes_[i] = {static_cast<std::uint32_t>(i), 16};
}

BitCode::Quick TokenBook::QuickLengths() const {
  BitCode::Quick quick{};
  for (std::size_t head = 0; head < quick.size(); ++head) {
    unsigned length = 1;
    while (length < BitCode::kMaxBits && head << (BitCode::kMaxBits - BitCode::kQuickBits) >= lengths_.below[length]) ++length;
    quick[head] = static_cast<std::uint8_t>(length - 1);
  }
  return quick;
}

void TokenBook::BuildArena() {
  // A text that is there with and without an end is one text.
  std::vector<std::uint32_t> order(size()), text_of(size()), offsets;
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return tokens_[a].text < tokens_[b].text; });
  std::vector<std::string_view> texts;
  for (const std::uint32_t token : order) {
    if (texts.empty() || texts.back() != tokens_[token].text) texts.push_back(tokens_[token].text);
    text_of[token] = static_cast<std::uint32_t>(texts.size() - 1);
  }
  arena_ = PackTexts(texts, &offsets);
  entries_.resize(size());
  for (std::size_t i = 0; i < size(); ++i) {
    entries_[i] = TokenTable::Entry(offsets[text_of[i]], tokens_[i].text.size(), tokens_[i].end);
  }
}

void TokenWriter::Write(std::string_view text, std::string* out) {
  parser_.Parse(text, [&](std::uint32_t index) {
    const std::uint32_t code = book_.code(index);
    const unsigned bits = book_.code_bits(index);
    if (book_.coding() == TokenCoding::kBits) {
      pending_ = pending_ << bits | code;
      for (pending_bits_ += bits; pending_bits_ >= 8; pending_bits_ -= 8) {
        out->push_back(static_cast<char>(pending_ >> (pending_bits_ - 8)));
      }
    } else {
      out->push_back(static_cast<char>(code));
      if (bits == 16) out->push_back(static_cast<char>(code >> 8));
    }
  });
}

void TokenWriter::Flush(std::string* out) {
  if (pending_bits_ > 0) out->push_back(static_cast<char>(pending_ << (8 - pending_bits_)));
  pending_ = 0;
  pending_bits_ = 0;
}

}  // namespace thimble::internal
