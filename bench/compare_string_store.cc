// StringStore beside the containers that hold strings by number, and beside blocks of zstd.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#if THIMBLE_HAS_ZSTD
#include <zstd.h>
#endif

#include "compare.h"
#include "text.h"
#include "thimble/string_store.h"

namespace thimble::bench {
namespace {

#if THIMBLE_HAS_ZSTD
// Strings in blocks of 4 KiB, each compressed alone: what a string costs where a page is the unit.
class ZstdBlocks {
 public:
  explicit ZstdBlocks(const std::vector<std::string>& strings) {
    std::string block;
    std::vector<std::uint32_t> ends;
    const auto finish = [&] {
      std::string packed(ZSTD_compressBound(block.size()), '\0');
      packed.resize(ZSTD_compress(packed.data(), packed.size(), block.data(), block.size(), 3));
      blocks_.push_back({std::move(packed), block.size(), std::move(ends)});
      block.clear();
      ends.clear();
    };
    for (const std::string& string : strings) {
      if (block.size() + string.size() > 4096 && !block.empty()) finish();
      where_.push_back({static_cast<std::uint32_t>(blocks_.size()), static_cast<std::uint32_t>(ends.size())});
      block += string;
      ends.push_back(static_cast<std::uint32_t>(block.size()));
    }
    finish();
  }

  std::size_t Get(std::uint64_t i, std::string& buffer) const {
    const auto [block, in_block] = where_[i];
    buffer.resize(std::max(buffer.size(), blocks_[block].raw_bytes));
    ZSTD_decompress(buffer.data(), buffer.size(), blocks_[block].packed.data(), blocks_[block].packed.size());
    const std::vector<std::uint32_t>& ends = blocks_[block].ends;
    return ends[in_block] - (in_block == 0 ? 0 : ends[in_block - 1]);
  }

 private:
  struct Block {
    std::string packed;
    std::size_t raw_bytes;
    std::vector<std::uint32_t> ends;
  };
  struct Where {
    std::uint32_t block, in_block;
  };
  std::vector<Block> blocks_;
  std::vector<Where> where_;
};
#endif

void Run(Comparison& c) {
  TextMaker maker(1);
  const std::vector<std::string> strings =
      c.Lines([&] { return TextMaker::Distinct(c.Size(500'000, 5'000), [&] { return maker.Url(); }); });
  StringStore::Builder builder;
  std::size_t heap_bytes = sizeof strings;
  for (const std::string& string : strings) {
    builder.Add(string).IgnoreError();
    heap_bytes += sizeof string + (string.capacity() > 15 ? string.capacity() + 9 : 0);
  }
  const StringStore store = std::move(builder).Finish().value();
  const auto n = static_cast<double>(strings.size());
  c.Exact("lines", "B/string", static_cast<double>(store.image().size()) / n, "vector<string>", static_cast<double>(heap_bytes) / n);

  std::mt19937_64 random(2);
  std::vector<std::uint64_t> ids(c.Size(20'000, 1'000));
  for (std::uint64_t& id : ids) id = random() % strings.size();
  std::string buffer, block_buffer;
  const auto get = [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t id : ids) sum += store.Get(id, buffer).size();
    Keep(sum);
  };
  Comparison::Peers peers = {{"vector<string> copy", [&] {
                                std::uint64_t sum = 0;
                                for (const std::uint64_t id : ids) sum += buffer.assign(strings[id]).size();
                                Keep(sum);
                              }}};
#if THIMBLE_HAS_ZSTD
  const ZstdBlocks blocks(strings);
  peers.push_back({"zstd, 4 KiB blocks", [&] {
                     std::uint64_t sum = 0;
                     for (const std::uint64_t id : ids) sum += blocks.Get(id, block_buffer);
                     Keep(sum);
                   }});
#endif
  c.Time("lines", "get ns", ids.size(), get, peers);
  c.Time("lines", "scan ns", strings.size(),
         [&] {
           std::uint64_t sum = 0;
           store.Scan(0, store.size(), [&](std::string_view string) { sum += string.size(); });
           Keep(sum);
         },
         {{"vector<string>", [&] {
             std::uint64_t sum = 0;
             for (const std::string& string : strings) sum += string.size();
             Keep(sum);
           }}});
}

const Family family{"string_store", "strings by number", Run};

}  // namespace
}  // namespace thimble::bench
