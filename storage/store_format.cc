#include "store_format.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "status_macros.h"

namespace thimble::format {
namespace {

// Whether [offset, offset + bytes) lies behind the superblocks and within the file.
bool Within(std::uint64_t offset, std::uint64_t bytes, std::uint64_t file_bytes) {
  return offset >= kSectionsFrom && offset <= file_bytes && bytes <= file_bytes - offset;
}

bool IsZero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

std::vector<std::byte> WriteDirectory(std::vector<NamedEntry> sections) {
  std::sort(sections.begin(), sections.end(), [](const NamedEntry& a, const NamedEntry& b) { return a.name < b.name; });
  std::uint64_t bytes = sections.size() * sizeof(Entry);
  for (NamedEntry& section : sections) {
    section.entry.name_offset = static_cast<std::uint32_t>(bytes);
    section.entry.name_bytes = static_cast<std::uint16_t>(section.name.size());
    bytes += section.name.size();
  }
  std::vector<std::byte> directory(RoundUp(bytes, 8));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    std::memcpy(directory.data() + i * sizeof(Entry), &sections[i].entry, sizeof(Entry));
    std::memcpy(directory.data() + sections[i].entry.name_offset, sections[i].name.data(), sections[i].name.size());
  }
  return directory;
}

const char* Directory::Place(const Superblock& superblock, std::uint64_t file_bytes) {
  if (superblock.sections > kMaxSections) return "the directory has too many sections";
  if (superblock.directory_offset % 8 != 0) return "the directory is misplaced";
  if (!Within(superblock.directory_offset, superblock.directory_bytes, file_bytes)) return "the directory lies outside the file";
  if (superblock.directory_bytes < superblock.sections * sizeof(Entry)) return "the directory is too short";
  return nullptr;
}

const char* Directory::Read(std::size_t i, CheckedEntry& found) const {
  Entry& entry = found.entry;
  entry = Load<Entry>(bytes_.data() + i * sizeof(Entry));
  if (!Within(entry.offset, entry.stored_bytes, file_.size())) return "it lies outside the file";
  if (entry.offset % 64 != 0) return "it is misplaced";
  const bool checked = (entry.flags & Entry::kHasChecksum) != 0;
  if (checked && !Within(entry.table_offset, entry.table_bytes(), file_.size())) return "its checksums lie outside the file";
  if (checked ? entry.table_offset % 8 != 0 : entry.table_offset != 0) return "its checksums are misplaced";
  if (entry.codec == Codec::kNone && entry.bytes != entry.stored_bytes) return "its length is not its length";
  if (!IsZero(entry.reserved)) return "reserved bytes of its entry are not zero";
  if (entry.name_bytes == 0 || entry.name_bytes > kMaxNameBytes) return "its name is empty or too long";
  if (entry.name_offset > bytes_.size() || entry.name_bytes > bytes_.size() - entry.name_offset) {
    return "its name lies outside the directory";
  }
  std::memcpy(found.name_bytes, bytes_.data() + entry.name_offset, entry.name_bytes);
  return nullptr;
}

const char* Directory::Check(std::uint64_t checksum) const {
  if (Hash64(bytes_) != checksum) return "the directory is not what was written";
  CheckedEntry found[2];  // this one and the one before
  for (std::size_t i = 0; i < sections_; ++i) {
    if (const char* problem = Read(i, found[i % 2])) return problem;
    if (i > 0 && found[i % 2].name() <= found[1 - i % 2].name()) return "the names do not ascend";
  }
  return nullptr;
}

const char* Directory::Find(std::string_view name, std::size_t& i) const {
  std::size_t begin = 0;
  std::size_t end = sections_;
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    CheckedEntry found;
    if (const char* problem = Read(middle, found)) return problem;
    if (found.name() == name) {
      i = middle;
      return nullptr;
    }
    if (found.name() < name) begin = middle + 1;
    else end = middle;
  }
  i = sections_;
  return nullptr;
}

SuperblockState ReadSuperblock(std::span<const std::byte> file, int which, Superblock& superblock) {
  superblock = Load<Superblock>(file.data() + kSuperblockAt[which]);
  if (superblock.magic != Superblock::kMagic) return SuperblockState::kAbsent;
  if (superblock.checksum != superblock.ComputeChecksum()) return SuperblockState::kDamaged;
  // Later versions may mean something else by everything but magic, version, features and checksum.
  if (superblock.version > Superblock::kVersion) return SuperblockState::kNewer;
  if ((superblock.features & ~Superblock::kKnownFeatures) != 0) return SuperblockState::kNewer;
  const auto state = static_cast<unsigned>(superblock.state);
  const auto discipline = static_cast<unsigned>(superblock.discipline);
  if (state < 1 || state > 3 || discipline > 2 || (state == 1) != (discipline == 0)) return SuperblockState::kDamaged;
  if (!IsZero(superblock.reserved)) return SuperblockState::kDamaged;
  return SuperblockState::kValid;
}

absl::StatusOr<Superblock> RulingSuperblock(std::span<const std::byte> file) {
  if (file.size() < kSectionsFrom) return absl::DataLossError("too short for a store file");
  std::array<Superblock, 2> superblocks;
  std::array<SuperblockState, 2> states{};
  THIMBLE_RETURN_IF_ERROR(Guarded(file, [&] {
    for (int which : {0, 1}) states[which] = ReadSuperblock(file, which, superblocks[which]);
  }));
  const auto valid = [&](int which) { return states[which] == SuperblockState::kValid; };
  if (valid(0) && (!valid(1) || superblocks[0].epoch >= superblocks[1].epoch)) return superblocks[0];
  if (valid(1)) return superblocks[1];
  for (SuperblockState state : states) {
    if (state == SuperblockState::kNewer) return absl::UnimplementedError("written by a newer version of thimble");
  }
  for (SuperblockState state : states) {
    if (state == SuperblockState::kDamaged) return absl::DataLossError("both superblocks are damaged");
  }
  return absl::DataLossError("no store file: bad magic");
}

absl::StatusOr<Superblock> ReadFile(std::span<const std::byte> file) {
  THIMBLE_ASSIGN_OR_RETURN(const Superblock superblock, RulingSuperblock(file));
  const bool growing = superblock.state == FileState::kDirty;
  if (growing ? file.size() < superblock.file_bytes : file.size() != superblock.file_bytes) {
    return absl::DataLossError("file of " + std::to_string(superblock.file_bytes) + " bytes has " + std::to_string(file.size()));
  }
  if (const char* problem = Directory::Place(superblock, file.size())) return absl::DataLossError(problem);
  const char* problem = nullptr;
  THIMBLE_RETURN_IF_ERROR(
      Guarded(file, [&] { problem = Directory(file, superblock).Check(superblock.directory_checksum); }));
  if (problem != nullptr) return absl::DataLossError(std::string("directory: ") + problem);
  return superblock;
}

}  // namespace thimble::format
