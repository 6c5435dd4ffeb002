#pragma once

// The bytes of a store file, as docs/format.md specifies them. A file from outside may change while it is read (another
// process has it open), so its superblocks and directory are copied out once, checked, and used from the copy. Reading them
// touches no page of a mapping, whose first fault costs more than all of opening.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/bytes.h"
#include "thimble/hash.h"
#include "thimble/kind.h"
#include "thimble/store.h"

namespace thimble::format {

inline constexpr std::uint64_t kPageBytes = 4096;
inline constexpr std::uint64_t kBlockBytes = 65536;          // the unit of checksums
inline constexpr std::uint64_t kSectionsFrom = 2 * kPageBytes;
inline constexpr std::uint64_t kSuperblockAt[2] = {0, kPageBytes};
inline constexpr std::uint64_t kMaxSections = 65535;
inline constexpr std::uint64_t kMaxNameBytes = 255;
inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 60;

// One sector, which a disk writes as a whole or not at all. Two of them stand in the file; the valid one of the higher epoch
// rules.
struct Superblock {
  static constexpr std::uint64_t kMagic = 0x1A454C424D494854;  // "THIMBLE\x1a"
  static constexpr std::uint16_t kVersion = 1;
  // Bits that a reader must know, or leave the file alone. None is taken yet.
  static constexpr std::uint64_t kKnownFeatures = 0;

  std::uint64_t magic = kMagic;
  std::uint16_t version = kVersion;
  FileState state = FileState::kSealed;
  Discipline discipline = Discipline::kNone;
  std::uint32_t sections = 0;
  std::uint64_t file_id = 0;
  std::uint64_t epoch = 0;
  std::uint64_t features = 0;           // incompatible ones
  std::uint64_t optional_features = 0;  // a reader may ignore these
  std::uint64_t file_bytes = 0;
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_bytes = 0;
  std::uint64_t directory_checksum = 0;
  std::byte reserved[424] = {};
  std::uint64_t checksum = 0;  // XXH3 of the 504 bytes before

  std::uint64_t ComputeChecksum() const { return Hash64(BytesOf(reinterpret_cast<const std::byte*>(this), sizeof *this - 8)); }
  void Seal() { checksum = ComputeChecksum(); }
};
static_assert(sizeof(Superblock) == 512 && std::is_trivially_copyable_v<Superblock>);

// What follows a superblock in a live file: a number that is odd while the superblock's commit is being written. It belongs
// to the processes that have the file open and means nothing after a crash.
inline constexpr std::uint64_t kSequenceAfterSuperblock = 512;

// A section in the directory, which is the entries in ascending order of the names' bytes, then the names.
struct Entry {
  static constexpr std::uint8_t kHasChecksum = 1;
  static constexpr std::uint8_t kMayGrow = 2;

  std::uint64_t offset = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t bytes = 0;         // decompressed; stored_bytes when the codec is kNone
  std::uint64_t table_offset = 0;  // XXH3 of each 64 KiB block of the stored bytes
  std::uint64_t checksum = 0;      // XXH3 of the table
  std::uint32_t name_offset = 0;   // from the directory's first byte
  std::uint16_t name_bytes = 0;
  Kind kind = Kind::kNone;
  Codec codec = Codec::kNone;
  std::uint8_t flags = 0;
  std::byte reserved[14] = {};

  std::uint64_t blocks() const { return (stored_bytes + kBlockBytes - 1) / kBlockBytes; }
  std::uint64_t table_bytes() const { return blocks() * 8; }
};
static_assert(sizeof(Entry) == 64 && std::is_trivially_copyable_v<Entry>);

// Where a section that begins at or after `end` is placed: large ones at a page, so that they can be advised and locked by
// themselves.
constexpr std::uint64_t PlaceSection(std::uint64_t end, std::uint64_t bytes) {
  return RoundUp(end, bytes >= kBlockBytes ? kPageBytes : 64);
}

// A live file has room for two directories of equal length, so that the one in use is never written over. Where they lie, and
// (the third) where its first section may.
constexpr std::uint64_t LiveDirectoryAt(std::uint64_t which, std::uint64_t directory_bytes) {
  return kSectionsFrom + which * RoundUp(directory_bytes, kPageBytes);
}

// Entries and names as the bytes of a directory, sorted.
struct NamedEntry {
  std::string name;
  Entry entry;
};
std::vector<std::byte> WriteDirectory(std::vector<NamedEntry> sections);

struct SectionEntry {
  Entry entry;
  std::string_view name;
};

// What a superblock says of itself, before the file around it is looked at. `head` is the first kSectionsFrom bytes.
enum class SuperblockState { kValid, kAbsent, kDamaged, kNewer };
SuperblockState ReadSuperblock(std::span<const std::byte> head, int which, Superblock& superblock);

// How a file is read: copies what lies at `offset`, and returns how much of it there is.
using ReadAt = absl::FunctionRef<absl::StatusOr<std::size_t>(std::uint64_t offset, std::span<std::byte> to)>;
template <class AnyFile>
auto From(AnyFile& file) {
  return [&file](std::uint64_t offset, std::span<std::byte> to) { return file.Read(offset, to); };
}

// Finds the superblock that rules: the valid one of the higher epoch, the first of two that are equal. kDataLoss if there is
// none, kUnimplemented if a newer version wrote the file.
absl::StatusOr<Superblock> RulingSuperblock(ReadAt read);

// The superblock that rules, and its directory, of a file whose length and directory are right.
class Contents {
 public:
  // Requires: file_bytes is the file's length, or was.
  static absl::StatusOr<Contents> Read(ReadAt read, std::uint64_t file_bytes);

  const Superblock& superblock() const { return superblock_; }
  // Requires: i < superblock().sections. The name lives as long as the contents.
  SectionEntry Section(std::size_t i) const;
  // The place of the name, or superblock().sections.
  std::size_t Find(std::string_view name) const;

 private:
  // What is wrong, in the order that they are asked; nullptr if nothing is.
  const char* CheckPlace() const;
  const char* CheckDirectory() const;
  const char* CheckEntry(const Entry& entry) const;

  Superblock superblock_;
  std::vector<std::byte> directory_;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace thimble::format
