#include "token_arena.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace thimble::internal {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};
constexpr std::size_t kMaxOverlap = 16;

bool BeginsWith(std::string_view whole, std::string_view part) { return whole.substr(0, part.size()) == part; }

// Where a text that is not the whole of another begins in it.
struct Part {
  std::uint32_t text, at;
};

// Of sorted distinct texts: those that begin no other one, and end none.
std::vector<std::uint32_t> Outermost(std::span<const std::string_view> texts) {
  std::vector<std::uint32_t> sorted(texts.size());
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) { return texts[a] < texts[b]; });
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 == sorted.size() || !BeginsWith(texts[sorted[i + 1]], texts[sorted[i]])) kept.push_back(sorted[i]);
  }
  const auto ends_with = [](std::string_view whole, std::string_view part) {
    return whole.size() >= part.size() && whole.substr(whole.size() - part.size()) == part;
  };
  std::sort(kept.begin(), kept.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::lexicographical_compare(texts[a].rbegin(), texts[a].rend(), texts[b].rbegin(), texts[b].rend());
  });
  std::vector<std::uint32_t> outermost;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i + 1 == kept.size() || !ends_with(texts[kept[i + 1]], texts[kept[i]])) outermost.push_back(kept[i]);
  }
  return outermost;
}

// Where each text is to be found: in itself, or in one that holds it.
std::vector<Part> Hosts(std::span<const std::string_view> texts) {
  const std::vector<std::uint32_t> outermost = Outermost(texts);
  std::vector<Part> suffixes;
  for (const std::uint32_t text : outermost) {
    for (std::uint32_t at = 0; at < texts[text].size(); ++at) suffixes.push_back({text, at});
  }
  const auto suffix = [&](const Part& part) { return texts[part.text].substr(part.at); };
  std::sort(suffixes.begin(), suffixes.end(), [&](const Part& a, const Part& b) { return suffix(a) < suffix(b); });
  std::vector<Part> hosts(texts.size(), Part{kNone, 0});
  for (std::uint32_t text = 0; text < texts.size(); ++text) {
    auto found = std::lower_bound(suffixes.begin(), suffixes.end(), texts[text],
                                  [&](const Part& part, std::string_view wanted) { return suffix(part) < wanted; });
    // Its own beginning only if nothing else has it; two steps tell.
    for (int step = 0; step < 2 && found != suffixes.end() && BeginsWith(suffix(*found), texts[text]); ++step, ++found) {
      hosts[text] = *found;
      if (found->text != text) break;
    }
    if (hosts[text].text == kNone) hosts[text] = {text, 0};
  }
  return hosts;
}

}  // namespace

// Texts that no other one holds are joined where they overlap most, again and again.
std::string PackTexts(std::span<const std::string_view> texts, std::vector<std::uint32_t>* offsets) {
  const std::vector<Part> hosts = Hosts(texts);
  std::vector<std::uint32_t> roots;
  for (std::uint32_t text = 0; text < texts.size(); ++text) {
    if (hosts[text].text == text) roots.push_back(text);
  }
  std::vector<std::uint32_t> next(texts.size(), kNone), last(texts.size()), first(texts.size()), overlap(texts.size(), 0);
  std::vector<bool> follows(texts.size(), false);
  std::iota(last.begin(), last.end(), 0u);   // of the chain that begins here
  std::iota(first.begin(), first.end(), 0u);  // of the chain that ends here
  for (std::size_t size = kMaxOverlap; size > 0; --size) {
    std::unordered_map<std::string_view, std::vector<std::uint32_t>> beginnings;
    for (const std::uint32_t root : roots) {
      if (!follows[root] && texts[root].size() > size) beginnings[texts[root].substr(0, size)].push_back(root);
    }
    for (const std::uint32_t root : roots) {
      if (next[root] != kNone || texts[root].size() <= size) continue;
      const auto found = beginnings.find(texts[root].substr(texts[root].size() - size));
      if (found == beginnings.end() || found->second.empty()) continue;
      std::vector<std::uint32_t>& free = found->second;
      // Not the beginning of its own chain.
      if (free.back() == first[root]) std::swap(free.front(), free.back());
      const std::uint32_t behind = free.back();
      if (behind == first[root]) continue;
      free.pop_back();
      next[root] = behind;
      overlap[root] = static_cast<std::uint32_t>(size);
      follows[behind] = true;
      const std::uint32_t begins = first[root], ends = last[behind];
      last[begins] = ends;
      first[ends] = begins;
    }
  }
  std::string arena;
  offsets->assign(texts.size(), 0);
  for (const std::uint32_t root : roots) {
    if (follows[root]) continue;
    std::uint32_t shared = 0;
    for (std::uint32_t text = root; text != kNone; text = next[text]) {
      (*offsets)[text] = static_cast<std::uint32_t>(arena.size()) - shared;
      arena += texts[text].substr(shared);
      shared = overlap[text];
    }
  }
  // A host may lie in another one.
  for (std::uint32_t text = 0; text < texts.size(); ++text) {
    std::uint32_t at = 0, root = text;
    while (hosts[root].text != root) {
      at += hosts[root].at;
      root = hosts[root].text;
    }
    (*offsets)[text] = (*offsets)[root] + at;
  }
  return arena;
}

}  // namespace thimble::internal
