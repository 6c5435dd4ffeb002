// RecordHeap beside LMDB and a hash map of strings: bytes a record above its payload, and random reads.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "compare.h"
#include "counted.h"
#include "thimble/record_heap.h"

#if THIMBLE_HAS_LMDB
#include <lmdb.h>
#endif

namespace thimble::bench {
namespace {

#if THIMBLE_HAS_LMDB
// The bytes of an LMDB file's pages with these records under consecutive integers; 0 if it cannot be made.
double LmdbBytes(const std::vector<std::string>& records) {
  std::string folder = (std::filesystem::temp_directory_path() / "thimble-lmdb-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 0;
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi table = 0;
  double bytes = 0;
  if (mdb_env_create(&environment) == 0 && mdb_env_set_mapsize(environment, std::size_t{1} << 32) == 0 &&
      mdb_env_open(environment, folder.c_str(), MDB_NOSYNC, 0600) == 0 && mdb_txn_begin(environment, nullptr, 0, &transaction) == 0 &&
      mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &table) == 0) {
    bool stored = true;
    for (std::size_t i = 0; i < records.size() && stored; ++i) {
      MDB_val key{sizeof i, &i};
      MDB_val value{records[i].size(), const_cast<char*>(records[i].data())};
      stored = mdb_put(transaction, table, &key, &value, MDB_APPEND) == 0;
    }
    MDB_stat stat;
    if (stored && mdb_stat(transaction, table, &stat) == 0) {
      bytes = static_cast<double>((stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize);
    }
    mdb_txn_abort(transaction);
  }
  if (environment != nullptr) mdb_env_close(environment);
  std::filesystem::remove_all(folder);
  return bytes;
}
#endif

void RunRecordHeap(Comparison& c) {
  const std::size_t n = c.Size(1'000'000, 20'000);
  std::mt19937_64 random(1);
  std::vector<std::string> records(n);
  double payload = 0;
  for (std::string& record : records) {
    record.assign(20 + random() % 160, static_cast<char>('a' + random() % 26));
    payload += static_cast<double>(record.size());
  }
  const std::string name = std::to_string(n) + " records of 20 to 179 bytes";
  RecordHeap heap(RecordHeap::Options{});
  std::vector<RecordId> ids;
  for (const std::string& record : records) ids.push_back(*heap.Insert(record));
  const double in_pages = static_cast<double>(heap.image().size());
  const double count = static_cast<double>(n);
  c.Exact(name, "page fill %", payload / in_pages * 100, "promised", 90);
  c.Exact(name, "bytes + free", (in_pages - payload) / count, "promised", 2.2 + 0.1 * in_pages / count);
  c.Exact(name, "bytes overhead", (in_pages - static_cast<double>(heap.FreeBytes()) - payload) / count, "promised", 2.2);
#if THIMBLE_HAS_LMDB
  c.Exact(name, "bytes + free", (in_pages - payload) / count, "LMDB", (LmdbBytes(records) - payload) / count);
#endif
  HeapCount::Reset();
  using String = std::basic_string<char, std::char_traits<char>, Counted<char>>;
  std::vector<String, Counted<String>> strings;
  strings.reserve(n);
  for (const std::string& record : records) strings.emplace_back(record);
  c.Exact(name, "bytes + free", (in_pages - payload) / count, "vector<string>", (static_cast<double>(HeapCount::live) - payload) / count);

  std::vector<std::size_t> reads(c.Size(1'000'000, 5'000));
  for (std::size_t& at : reads) at = random() % n;
  std::string scratch;
  c.Time(name, "read ns", reads.size(), [&] {
    std::size_t sum = 0;
    for (const std::size_t at : reads) sum += static_cast<unsigned char>(heap.Find(ids[at], scratch)->front());
    Keep(sum);
  }, {{"vector<string>", [&] {
    std::size_t sum = 0;
    for (const std::size_t at : reads) sum += static_cast<unsigned char>(strings[at].front());
    Keep(sum);
  }}});
  c.Time(name, "update ns", reads.size(), [&] {
    for (const std::size_t at : reads) (void)heap.Update(ids[at], records[(at + 7) % n]);
  }, {{"vector<string>", [&] {
    for (const std::size_t at : reads) strings[at].assign(records[(at + 7) % n]);
  }}});
  c.Exact(name + ", after updates", "page fill %", payload / static_cast<double>(heap.image().size()) * 100, "promised", 90);
}

const Family record_heap_family{"record_heap", "variable records under stable ids", RunRecordHeap};

}  // namespace
}  // namespace thimble::bench
