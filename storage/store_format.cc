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

SuperblockState ReadSuperblock(std::span<const std::byte> head, int which, Superblock& superblock) {
  superblock = Load<Superblock>(head.data() + kSuperblockAt[which]);
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

absl::StatusOr<Superblock> RulingSuperblock(ReadAt read) {
  std::array<std::byte, kSectionsFrom> head;
  THIMBLE_ASSIGN_OR_RETURN(const std::size_t got, read(0, head));
  if (got < head.size()) return absl::DataLossError("too short for a store file");
  std::array<Superblock, 2> superblocks;
  std::array<SuperblockState, 2> states{};
  for (int which : {0, 1}) states[which] = ReadSuperblock(head, which, superblocks[which]);
  const auto valid = [&](int which) { return states[which] == SuperblockState::kValid; };
  // Where a newer version keeps its epoch is not known: it may be the one that rules.
  for (const SuperblockState state : states) {
    if (state == SuperblockState::kNewer) return absl::UnimplementedError("written by a newer version of thimble");
  }
  if (valid(0) && (!valid(1) || superblocks[0].epoch >= superblocks[1].epoch)) return superblocks[0];
  if (valid(1)) return superblocks[1];
  for (SuperblockState state : states) {
    if (state == SuperblockState::kDamaged) return absl::DataLossError("both superblocks are damaged");
  }
  return absl::DataLossError("no store file: bad magic");
}

absl::StatusOr<Contents> Contents::Read(ReadAt read, std::uint64_t file_bytes) {
  Contents contents;
  THIMBLE_ASSIGN_OR_RETURN(contents.superblock_, RulingSuperblock(read));
  contents.file_bytes_ = file_bytes;
  const Superblock& superblock = contents.superblock_;
  const bool growing = superblock.state == FileState::kDirty;
  if (growing ? file_bytes < superblock.file_bytes : file_bytes != superblock.file_bytes) {
    return absl::DataLossError("file of " + std::to_string(superblock.file_bytes) + " bytes has " + std::to_string(file_bytes));
  }
  if (const char* problem = contents.CheckPlace()) return absl::DataLossError(problem);
  contents.directory_.resize(superblock.directory_bytes);
  THIMBLE_ASSIGN_OR_RETURN(const std::size_t got, read(superblock.directory_offset, contents.directory_));
  if (got < contents.directory_.size()) return absl::DataLossError("the file was truncated while it was read");
  if (const char* problem = contents.CheckDirectory()) return absl::DataLossError(std::string("directory: ") + problem);
  return contents;
}

const char* Contents::CheckPlace() const {
  const std::uint64_t sections = superblock_.sections;
  if (sections > kMaxSections) return "the directory has too many sections";
  if (superblock_.directory_offset % 8 != 0) return "the directory is misplaced";
  if (!Within(superblock_.directory_offset, superblock_.directory_bytes, file_bytes_)) return "the directory lies outside the file";
  if (superblock_.directory_bytes < sections * sizeof(Entry)) return "the directory is too short";
  if (superblock_.directory_bytes > RoundUp(sections * (sizeof(Entry) + kMaxNameBytes), 8)) return "the directory is too long";
  return nullptr;
}

const char* Contents::CheckEntry(const Entry& entry) const {
  if (!Within(entry.offset, entry.stored_bytes, superblock_.file_bytes)) return "it lies outside the file";
  if (entry.offset % 64 != 0) return "it is misplaced";
  const bool checked = (entry.flags & Entry::kHasChecksum) != 0;
  if (checked && !Within(entry.table_offset, entry.table_bytes(), superblock_.file_bytes)) return "its checksums lie outside the file";
  if (checked ? entry.table_offset % 8 != 0 : entry.table_offset != 0) return "its checksums are misplaced";
  if (entry.codec == Codec::kNone && entry.bytes != entry.stored_bytes) return "its length is not its length";
  if (!IsZero(entry.reserved)) return "reserved bytes of its entry are not zero";
  if (entry.name_bytes == 0 || entry.name_bytes > kMaxNameBytes) return "its name is empty or too long";
  if (entry.name_offset > directory_.size() || entry.name_bytes > directory_.size() - entry.name_offset) {
    return "its name lies outside the directory";
  }
  return nullptr;
}

const char* Contents::CheckDirectory() const {
  if (Hash64(directory_) != superblock_.directory_checksum) return "the directory is not what was written";
  std::string_view before;
  for (std::size_t i = 0; i < superblock_.sections; ++i) {
    const SectionEntry section = Section(i);
    if (const char* problem = CheckEntry(section.entry)) return problem;
    if (i > 0 && section.name <= before) return "the names do not ascend";
    before = section.name;
  }
  return nullptr;
}

SectionEntry Contents::Section(std::size_t i) const {
  const auto entry = Load<Entry>(directory_.data() + i * sizeof(Entry));
  return {entry, {reinterpret_cast<const char*>(directory_.data()) + entry.name_offset, entry.name_bytes}};
}

std::size_t Contents::Find(std::string_view name) const {
  std::size_t begin = 0;
  std::size_t end = superblock_.sections;
  while (begin < end) {
    const std::size_t middle = begin + (end - begin) / 2;
    const std::string_view found = Section(middle).name;
    if (found == name) return middle;
    if (found < name) begin = middle + 1;
    else end = middle;
  }
  return superblock_.sections;
}

}  // namespace thimble::format
