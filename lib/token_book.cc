#include "token_book.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "token_candidates.h"

namespace thimble::internal {
namespace {

// What a token adds to the table, with the overlaps in the arena.
double TableBytes(const Token& token) { return 4 + 0.6 * static_cast<double>(token.text.size()); }

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
  const std::size_t n = tokens.size();
  if (n == 1) return {1};
  // Huffman with two queues: leaves from the least used on, and inner nodes as they are made.
  std::vector<double> weight(2 * n - 1);
  std::vector<std::size_t> parent(2 * n - 1);
  for (std::size_t i = 0; i < n; ++i) weight[i] = tokens[n - 1 - i].uses + 0.05;
  std::size_t leaf = 0, inner = n;
  for (std::size_t made = n; made < 2 * n - 1; ++made) {
    weight[made] = 0;
    for (int child = 0; child < 2; ++child) {
      const std::size_t least = leaf < n && (inner >= made || weight[leaf] <= weight[inner]) ? leaf++ : inner++;
      weight[made] += weight[least];
      parent[least] = made;
    }
  }
  std::vector<unsigned> depth(2 * n - 1, 0);
  for (std::size_t i = 2 * n - 2; i-- > 0;) depth[i] = depth[parent[i]] + 1;
  std::vector<unsigned> lengths(n);
  for (std::size_t i = 0; i < n; ++i) lengths[i] = std::min(depth[n - 1 - i], BitCode::kMaxBits);
  // Cutting long codes leaves too many of them: lengthen the least used of the shorter ones until all fit.
  const auto share = [](unsigned length) { return std::uint64_t{1} << (BitCode::kMaxBits - length); };
  std::uint64_t used = 0;
  for (const unsigned length : lengths) used += share(length);
  for (std::size_t i = n; used > share(0) && i-- > 0;) {
    while (lengths[i] < BitCode::kMaxBits && used > share(0)) {
      used -= share(lengths[i]) / 2;
      ++lengths[i];
    }
  }
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

std::size_t FirstTarget(double total_bytes, TokenCoding coding) {
  const bool words = coding == TokenCoding::kWords;
  return static_cast<std::size_t>(std::clamp(total_bytes / (words ? 100 : 200), 300.0, words ? 65536.0 : 32768.0));
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
  char head[kMaxSizeBytes];
  bytes_.append(head, PutSize(text.size(), head));
  bytes_.append(text);
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
  constexpr int kMaxPasses = 5;
  // Words are many, and each saves little: rare ones show in a large sample only.
  const std::size_t pass_bytes = std::size_t{coding == TokenCoding::kWords ? 32u : 3u} << 19;
  const bool ends = coding != TokenCoding::kWords;
  const double total = scale * static_cast<double>(sample.text_bytes() + sample.strings());
  std::size_t target = FirstTarget(total, coding);

  // First every candidate at the same price, then ever fewer tokens at the price of their codes, as long as the whole
  // becomes smaller.
  std::vector<Token> tokens = CandidateTokens(sample, target + target / 2, ends);
  // A part of the sample tells which are used, and how the sizes compare.
  const std::size_t step = 1 + sample.text_bytes() / pass_bytes;
  CountUses(sample, step, ends, &tokens);
  // One book at a time, and no tokens beside it: they are most of the memory that learning takes.
  tokens = MostUsed(std::move(tokens), target);
  std::optional<TokenBook> book(TokenBook(std::move(tokens), coding));
  std::vector<Token> best;
  double best_bytes = std::numeric_limits<double>::max();
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    std::vector<double> uses(book->size(), 0);
    double bits = 0;
    std::size_t seen = 0;
    TokenParser parser(book->trie(), book->costs(), ends);
    sample.Each(
        [&](std::string_view text) {
          seen += text.size() + 1;
          parser.Parse(text, [&](std::uint32_t i) {
            uses[i] += 1;
            bits += book->code_bits(i);
          });
        },
        step);
    double bytes = seen == 0 ? 0 : bits / 8 * (total / static_cast<double>(seen));
    std::vector<Token> used;
    used.reserve(book->size());
    for (std::size_t i = 0; i < book->size(); ++i) {
      if (book->codes_[i].bits == 0) continue;
      bytes += TableBytes(book->tokens_[i]);
      used.push_back(std::move(book->tokens_[i]));
      used.back().uses = uses[i];
    }
    book.reset();
    if (bytes >= best_bytes) break;
    best_bytes = bytes;
    target = target * 6 / 10;
    if (pass + 1 == kMaxPasses || target < 300) return TokenBook(std::move(used), coding);
    best = used;
    used = MostUsed(std::move(used), target);
    book.emplace(TokenBook(std::move(used), coding));
  }
  return TokenBook(std::move(best), coding);
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
  BuildArena();
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

// A token that begins or ends another one lies inside it.
void TokenBook::BuildArena() {
  const std::size_t n = tokens_.size();
  std::vector<std::uint32_t> order(n), host(n, TokenTrie::kNone);
  std::iota(order.begin(), order.end(), 0u);
  const auto text = [&](std::uint32_t i) -> const std::string& { return tokens_[i].text; };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return text(a) < text(b); });
  for (std::size_t i = 0; i + 1 < n; ++i) {
    if (text(order[i + 1]).compare(0, text(order[i]).size(), text(order[i])) == 0) host[order[i]] = order[i + 1];
  }
  std::vector<bool> as_suffix(n, false);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::lexicographical_compare(text(a).rbegin(), text(a).rend(), text(b).rbegin(), text(b).rend());
  });
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const std::string& part = text(order[i]);
    const std::string& whole = text(order[i + 1]);
    // Equal texts host each other in one direction only, and it is the prefix order's.
    if (host[order[i]] == TokenTrie::kNone && whole.size() > part.size() &&
        whole.compare(whole.size() - part.size(), part.size(), part) == 0) {
      host[order[i]] = order[i + 1];
      as_suffix[order[i]] = true;
    }
  }
  // Hosts first: they are longer, or equal and later in the prefix order.
  entries_.assign(n, 0);
  std::vector<bool> placed(n, false);
  std::vector<std::uint32_t> offset(n, 0), path;
  for (std::uint32_t i = 0; i < n; ++i) {
    path.assign(1, i);
    while (!placed[path.back()] && host[path.back()] != TokenTrie::kNone) path.push_back(host[path.back()]);
    for (; !path.empty(); path.pop_back()) {
      const std::uint32_t at = path.back();
      if (placed[at]) continue;
      if (host[at] == TokenTrie::kNone) {
        offset[at] = static_cast<std::uint32_t>(arena_.size());
        arena_ += text(at);
      } else {
        offset[at] = offset[host[at]] + static_cast<std::uint32_t>(as_suffix[at] ? text(host[at]).size() - text(at).size() : 0);
      }
      placed[at] = true;
      entries_[at] = TokenTable::Entry(offset[at], text(at).size(), tokens_[at].end);
    }
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
