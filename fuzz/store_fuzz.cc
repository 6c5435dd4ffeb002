// Opens the input as a store file, verifies it and reads all that it offers. Checksums are set right first where the input's
// last byte is odd: an enemy would.

#include "targets.h"

#include <cstdint>
#include <string>

#include "one_file_system.h"
#include "store_format.h"
#include "thimble/buffer.h"
#include "thimble/store.h"

namespace thimble::fuzz {
namespace {

void SetChecksums(std::span<std::byte> file) {
  for (const std::uint64_t at : format::kSuperblockAt) {
    if (file.size() < at + sizeof(format::Superblock)) return;
    format::Superblock superblock = Load<format::Superblock>(file.data() + at);
    superblock.magic = format::Superblock::kMagic;
    superblock.version = format::Superblock::kVersion;
    superblock.features = 0;
    superblock.file_bytes = file.size();
    if (superblock.directory_offset <= file.size() && superblock.directory_bytes <= file.size() - superblock.directory_offset) {
      superblock.directory_checksum =
          Hash64(std::span<const std::byte>(file).subspan(superblock.directory_offset, superblock.directory_bytes));
    }
    superblock.Seal();
    Store(file.data() + at, superblock);
  }
}

void Read(StoreReader& store) {
  (void)store.Verify();
  for (std::size_t i = 0; i < store.size() && i < 20; ++i) {
    const std::string name = store.Section(i).name;
    (void)store.Find(name);
    (void)store.Bytes(name, StoreReader::Check::kFirst);
    (void)store.Load(name);
  }
  (void)store.Find("absent");
}

}  // namespace

void FuzzStore(Bytes bytes) {
  Buffer file = Buffer::Copy(bytes);
  if (!bytes.empty() && std::to_integer<int>(bytes.back()) % 2 == 1) SetChecksums(file.bytes());
  testing::OneFileSystem system(file.bytes());
  absl::StatusOr<StoreReader> store = StoreReader::Open("a", {.max_load_bytes = 1 << 20, .system = &system});
  if (store.ok()) Read(*store);
}

}  // namespace thimble::fuzz
