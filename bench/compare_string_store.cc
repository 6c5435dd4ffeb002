// StringStore and StringColumn beside the containers that hold strings by number, and beside blocks of zstd.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#if THIMBLE_HAS_ZSTD
#include <zstd.h>
#endif

#include "compare.h"
#include "text.h"
#include "thimble/string_column.h"
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

void RunStringStore(Comparison& c) {
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

// Columns of which many rows are equal: --data FILE, or airports.
void RunColumn(Comparison& c) {
  const std::vector<std::string> rows = c.Lines([&] {
    std::mt19937_64 random(3);
    std::vector<std::string> airports(c.Size(3'000'000, 20'000));
    for (std::string& airport : airports) {
      for (std::uint64_t k = 0, left = random() % 224 * 79; k < 3; ++k, left /= 26) airport.push_back(static_cast<char>('A' + left % 26));
    }
    return airports;
  });
  StringColumn::Builder builder;
  for (const std::string& row : rows) builder.Add(row).IgnoreError();
  const StringColumn column = std::move(builder).Finish().value();
  std::size_t bytes = 0;
  for (const std::string& row : rows) bytes += sizeof row + (row.capacity() > 15 ? row.capacity() + 9 : 0);
  const auto n = static_cast<double>(rows.size());
  c.Exact("rows", "B/row", static_cast<double>(column.image().size()) / n, "vector<string>", static_cast<double>(bytes) / n);

  std::mt19937_64 random(2);
  std::vector<std::uint64_t> ids(c.Size(100'000, 1'000));
  for (std::uint64_t& id : ids) id = random() % rows.size();
  std::string buffer;
  const auto sum_of = [&ids](auto get) {
    return [&ids, get] {
      std::uint64_t sum = 0;
      for (const std::uint64_t id : ids) sum += get(id).size();
      Keep(sum);
    };
  };
  c.Time("rows", "get ns", ids.size(), sum_of([&](std::uint64_t id) { return column.Get(id, buffer); }),
         {{"vector<string> copy", sum_of([&](std::uint64_t id) -> const std::string& { return buffer.assign(rows[id]); })}});
}

const Family string_store_family{"string_store", "strings by number", RunStringStore};
const Family column_family{"string_column", "columns of repeated strings", RunColumn};

}  // namespace
}  // namespace thimble::bench
