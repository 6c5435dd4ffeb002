// How small marisa-trie gets: the best of 1 to 20 tries, text or binary tails and both orders, always with the smallest
// cache; which the size of a StringDictionary is held against.
//
//   build/bench/smallest_marisa FILE_OF_LINES...

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <marisa.h>

#include "thimble/string_dictionary.h"

namespace thimble::bench {
namespace {

using Strings = std::vector<std::string>;
using Mode = StringDictionary::Mode;

struct Best {
  std::size_t bytes = ~std::size_t{0};
  int tries = 0;
  bool binary_tail = false, label_order = false;
};

std::size_t MarisaBytes(const Strings& keys, int flags) {
  marisa::Keyset keyset;
  for (const std::string& key : keys) keyset.push_back(key.data(), key.size());
  marisa::Trie trie;
  trie.build(keyset, flags);
  return trie.io_size();
}

Best Sweep(const Strings& keys) {
  Best best;
  for (int tries = 1; tries <= 20; ++tries) {
    const std::size_t before = best.bytes;
    for (const int tail : {MARISA_TEXT_TAIL, MARISA_BINARY_TAIL}) {
      for (const int order : {MARISA_WEIGHT_ORDER, MARISA_LABEL_ORDER}) {
        const std::size_t bytes = MarisaBytes(keys, tries | tail | order | MARISA_TINY_CACHE);
        if (bytes < best.bytes) best = {bytes, tries, tail == MARISA_BINARY_TAIL, order == MARISA_LABEL_ORDER};
      }
    }
    // More tries than the data has levels make the same trie again.
    if (tries > 3 && best.bytes == before && best.tries + 2 <= tries) break;
  }
  return best;
}

double OurBytes(const Strings& keys, Mode mode) {
  StringDictionary::Builder builder({.mode = mode});
  for (const std::string& key : keys) builder.Add(key).IgnoreError();
  return static_cast<double>(std::move(builder).Finish().value().image().size());
}

void Report(const char* path) {
  Strings keys;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) keys.push_back(line);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const auto n = static_cast<double>(keys.size());
  const Best best = Sweep(keys);
  const double balanced = OurBytes(keys, Mode::kBalanced), dense = OurBytes(keys, Mode::kDense), marisa = static_cast<double>(best.bytes);
  std::printf("%s: %zu keys; marisa %.3f B/key (%d tries, %s tail, %s order); balanced %.3f (%.3f x), dense %.3f (%.3f x)\n", path,
              keys.size(), marisa / n, best.tries, best.binary_tail ? "binary" : "text", best.label_order ? "label" : "weight",
              balanced / n, balanced / marisa, dense / n, dense / marisa);
  std::fflush(stdout);
}

}  // namespace
}  // namespace thimble::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: smallest_marisa FILE_OF_LINES...\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) thimble::bench::Report(argv[i]);
}
