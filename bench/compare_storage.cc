// Store files: opening, verifying, looking up and committing, beside what the system itself takes; and what damage does to
// the files of others. 200 single-bit flips of one file each: an answer may be an error, or right; wrong answers and signals
// are counted.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <malloc.h>

#if THIMBLE_HAS_LMDB
#include <lmdb.h>
#endif
#if THIMBLE_HAS_MARISA
#include <marisa.h>
#endif

#include "compare.h"
#include "store_format.h"
#include "thimble/bloom_filter.h"
#include "thimble/live_file.h"
#include "thimble/store.h"
#include "thimble/store_writer.h"

namespace thimble::bench {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "thimble-bench-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void MustBe(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(status.message()));
}

void WriteStore(const std::string& path, std::span<const std::byte> bytes) {
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(path);
  MustBe(writer.status());
  MustBe(writer->AddBytes("bytes", bytes));
  MustBe(writer->Finish());
}

// A store whose one section is a hole of this many bytes: its directory is right, and opening looks no further.
void WriteSparseStore(const std::string& path, std::uint64_t bytes) {
  format::Entry entry{.offset = format::kSectionsFrom, .stored_bytes = bytes, .bytes = bytes};
  entry.flags = format::Entry::kHasChecksum;
  entry.table_offset = entry.offset + bytes;
  const std::uint64_t end = entry.table_offset + entry.table_bytes();
  const std::vector<std::byte> directory = format::WriteDirectory({{"bytes", entry}});
  format::Superblock superblock;
  superblock.sections = 1;
  superblock.epoch = 1;
  superblock.directory_offset = end;
  superblock.directory_bytes = directory.size();
  superblock.directory_checksum = Hash64(directory);
  superblock.file_bytes = end + directory.size();
  superblock.Seal();
  absl::StatusOr<std::unique_ptr<File>> file = FileSystem::Real().Open(path, FileSystem::Mode::kCreate);
  MustBe(file.status());
  MustBe((*file)->Write(end, directory));
  for (const std::uint64_t at : format::kSuperblockAt) {
    MustBe((*file)->Write(at, {reinterpret_cast<const std::byte*>(&superblock), sizeof superblock}));
  }
}

void CompareOpening(Comparison& c, const Folder& folder) {
  constexpr std::uint64_t kMiB = 1 << 20;
  for (const auto& [name, bytes] : {std::pair{"1M", kMiB}, {"1G", kMiB << 10}, {"16G", kMiB << 14}}) WriteSparseStore(folder.File(name), bytes);
  const auto open = [&](const char* name) {
    return [path = folder.File(name)] {
      for (int i = 0; i < 200; ++i) Keep(StoreReader::Open(path)->Bytes("bytes")->data());
    };
  };
  c.Time("open 1 GiB", "ns", 200, open("1G"), {{"thimble, 1 MiB", open("1M")}});
  c.Time("open 16 GiB", "ns", 200, open("16G"), {{"thimble, 1 MiB", open("1M")}});
  const auto before = mallinfo2().uordblks;
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("1G"));
  c.Exact("open 1 GiB", "heap bytes", static_cast<double>(mallinfo2().uordblks - before), "limit", 65536);
}

void CompareVerifying(Comparison& c, const Folder& folder) {
  std::vector<std::byte> bytes(c.Size(256, 8) << 20);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < bytes.size(); i += 8) thimble::Store(bytes.data() + i, std::uint64_t{random()});
  WriteStore(folder.File("v"), bytes);
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("v"));
  MustBe(store.status());
  MustBe(store->Verify());
  const std::span<const std::byte> mapped = *store->Bytes("bytes");
  c.Time("verify", "ns/byte", bytes.size(), [&] { MustBe(store->Verify()); },
         {{"XXH3 of the bytes", [&] { Keep(Hash64(mapped)); }}, {"thimble, 2 threads", [&] { MustBe(store->Verify(2)); }}});
}

void CompareLookups(Comparison& c, const Folder& folder) {
  const std::size_t n = c.Size(1 << 20, 1 << 14);
  BloomFilter heap({.capacity = n});
  for (std::uint64_t key = 0; key < n; ++key) heap.Add(key);
  absl::StatusOr<StoreWriter> writer = StoreWriter::Create(folder.File("b"));
  MustBe(writer.status());
  MustBe(writer->Add("filter", heap.image()));
  MustBe(writer->Finish());
  const absl::StatusOr<StoreReader> store = StoreReader::Open(folder.File("b"));
  MustBe(store.status());
  const BloomFilterView mapped = *store->View<BloomFilterView>("filter");
  const auto look_up = [n](const BloomFilterView& view) {
    return [&view, n] {
      std::size_t hits = 0;
      for (std::uint64_t key = 0; key < n; ++key) hits += view.Contains(key * 2);
      Keep(hits);
    };
  };
  c.Time("BloomFilter, mapped", "lookup ns", n, look_up(mapped), {{"thimble, heap", look_up(heap)}});
}

void CompareCommitting(Comparison& c, const Folder& folder) {
  absl::StatusOr<JournaledFile> file = JournaledFile::Create(folder.File("j"), {{"bytes", Kind::kNone, 64 << 20}});
  MustBe(file.status());
  const Buffer buffer = *file->Take("bytes");
  absl::StatusOr<std::unique_ptr<File>> plain = FileSystem::Real().Open(folder.File("p"), FileSystem::Mode::kCreate);
  MustBe(plain.status());
  MustBe((*plain)->Allocate(1 << 20));
  const std::vector<std::byte> page(4096, std::byte{1});
  std::mt19937_64 random(1);
  const int rounds = static_cast<int>(c.Size(50, 5));
  c.Time("commit one page of 64 MiB", "ns", static_cast<std::size_t>(rounds),
         [&] {
           for (int i = 0; i < rounds; ++i) {
             buffer.data()[random() % buffer.size()] ^= std::byte{1};
             MustBe(file->Commit());
           }
         },
         {{"two pages, each synced", [&] {
             for (int i = 0; i < rounds * 2; ++i) {
               MustBe((*plain)->Write(random() % 200 * 4096, page));
               MustBe((*plain)->Sync());
             }
           }}});
}

std::vector<std::string> Keys() {
  std::vector<std::string> keys;
  for (int i = 0; i < 2000; ++i) keys.push_back("key" + std::to_string(i * 7919));
  return keys;
}

struct Harm {
  double wrong = 0;
  double signals = 0;
};

// Flips one bit at a time in the file, and lets a child read all of it: read() returns whether the answers were right or
// refused.
Harm FlipBits(const std::string& path, const std::function<bool()>& read) {
  std::ifstream in(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  std::mt19937_64 random(7);
  Harm harm;
  for (int i = 0; i < 200; ++i) {
    std::string damaged = whole;
    const std::uint64_t bit = random() % (whole.size() * 8);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << damaged;
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      bool good = true;
      try {
        good = read();
      } catch (...) {
      }
      _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    harm.signals += WIFSIGNALED(status);
    harm.wrong += WIFEXITED(status) && WEXITSTATUS(status) == 1;
  }
  return harm;
}

Harm FlipThimble(const Folder& folder) {
  const std::vector<std::string> keys = Keys();
  std::string text;
  for (const std::string& key : keys) text += key + "\n";
  const std::string path = folder.File("flip.thimble");
  WriteStore(path, BytesOf(text.data(), text.size()));
  return FlipBits(path, [&] {
    const absl::StatusOr<StoreReader> store = StoreReader::Open(path);
    if (!store.ok()) return true;
    const auto bytes = store->Bytes("bytes", StoreReader::Check::kFirst);
    return !bytes.ok() || std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()) == text;
  });
}

#if THIMBLE_HAS_LMDB
Harm FlipLmdb(const Folder& folder) {
  const std::vector<std::string> keys = Keys();
  const std::string path = folder.File("flip.lmdb");
  MDB_env* env = nullptr;
  mdb_env_create(&env);
  mdb_env_set_mapsize(env, 1 << 20);
  mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600);
  MDB_txn* txn = nullptr;
  mdb_txn_begin(env, nullptr, 0, &txn);
  MDB_dbi dbi;
  mdb_dbi_open(txn, nullptr, 0, &dbi);
  for (const std::string& key : keys) {
    MDB_val value{key.size(), const_cast<char*>(key.data())};
    mdb_put(txn, dbi, &value, &value, 0);
  }
  mdb_txn_commit(txn);
  mdb_env_close(env);
  return FlipBits(path, [&] {
    MDB_env* read = nullptr;
    mdb_env_create(&read);
    if (mdb_env_open(read, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0600) != 0) return true;
    MDB_txn* reading = nullptr;
    MDB_dbi opened;
    if (mdb_txn_begin(read, nullptr, MDB_RDONLY, &reading) != 0 || mdb_dbi_open(reading, nullptr, 0, &opened) != 0) return true;
    for (const std::string& key : keys) {
      MDB_val name{key.size(), const_cast<char*>(key.data())}, value;
      const int code = mdb_get(reading, opened, &name, &value);
      if (code == MDB_NOTFOUND) return false;
      if (code != 0) return true;
      if (std::string_view(static_cast<char*>(value.mv_data), value.mv_size) != key) return false;
    }
    return true;
  });
}
#endif

#if THIMBLE_HAS_MARISA
Harm FlipMarisa(const Folder& folder) {
  const std::vector<std::string> keys = Keys();
  const std::string path = folder.File("flip.marisa");
  marisa::Keyset keyset;
  for (const std::string& key : keys) keyset.push_back(key.c_str(), key.size());
  marisa::Trie trie;
  trie.build(keyset);
  trie.save(path.c_str());
  std::vector<std::size_t> ids;
  for (const std::string& key : keys) {
    marisa::Agent agent;
    agent.set_query(key.c_str(), key.size());
    trie.lookup(agent);
    ids.push_back(agent.key().id());
  }
  return FlipBits(path, [&] {
    marisa::Trie read;
    read.load(path.c_str());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      marisa::Agent agent;
      agent.set_query(keys[i].c_str(), keys[i].size());
      if (!read.lookup(agent) || agent.key().id() != ids[i]) return false;
      agent.set_query(ids[i]);
      read.reverse_lookup(agent);
      if (std::string_view(agent.key().ptr(), agent.key().length()) != keys[i]) return false;
    }
    return true;
  });
}
#endif

void CompareDamage(Comparison& c, const Folder& folder) {
  const Harm ours = FlipThimble(folder);
  const auto row = [&](const char* peer, const Harm& theirs) {
    c.Exact("200 bit flips", "wrong answers", ours.wrong, peer, theirs.wrong);
    c.Exact("200 bit flips", "died of a signal", ours.signals, peer, theirs.signals);
  };
#if THIMBLE_HAS_LMDB
  row("lmdb", FlipLmdb(folder));
#endif
#if THIMBLE_HAS_MARISA
  row("marisa", FlipMarisa(folder));
#endif
  (void)row;
}

void RunStorage(Comparison& c) {
  const Folder folder;
  CompareOpening(c, folder);
  CompareVerifying(c, folder);
  CompareLookups(c, folder);
  CompareCommitting(c, folder);
  CompareDamage(c, folder);
}

const Family storage_family{"storage", "store files: open, verify, commit, and survive damage", RunStorage};

}  // namespace
}  // namespace thimble::bench
