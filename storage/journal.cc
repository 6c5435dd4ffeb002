#include "journal.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "status_macros.h"

namespace thimble::format {
namespace {

struct JournalHeader {
  static constexpr std::uint64_t kMagic = 0x1A4C4E524A494854;  // "THIJRNL\x1a"

  std::uint64_t magic = kMagic;
  std::uint64_t pages = 0;
  std::uint64_t checksum = 0;
  std::uint64_t zero = 0;
  Superblock superblock;
};
static_assert(sizeof(JournalHeader) == 32 + 512);

// Pages are moved through memory in runs of this many.
constexpr std::size_t kRunPages = 64;

template <class T>
std::span<const std::byte> ObjectBytes(const T& object) {
  return {reinterpret_cast<const std::byte*>(&object), sizeof object};
}

// Collects what is appended, and writes it in large runs.
class Appender {
 public:
  explicit Appender(File& file) : file_(file) {}

  absl::Status Append(std::span<const std::byte> bytes) {
    run_.insert(run_.end(), bytes.begin(), bytes.end());
    return run_.size() >= kRunPages * kPageBytes ? Flush() : absl::OkStatus();
  }
  absl::Status Flush() {
    THIMBLE_RETURN_IF_ERROR(file_.Write(offset_, run_));
    offset_ += run_.size();
    run_.clear();
    return absl::OkStatus();
  }

 private:
  File& file_;
  std::uint64_t offset_ = 0;
  std::vector<std::byte> run_;
};

std::uint64_t ChainStart(const Superblock& superblock, std::span<const std::uint64_t> numbers) {
  const std::uint64_t chain = Hash64(ObjectBytes(superblock), superblock.epoch);
  return Hash64(BytesOf(numbers.data(), numbers.size()), chain);
}

// A journal that counts, read and checked once; its pages are read again to be applied.
class JournalReader {
 public:
  explicit JournalReader(File& file) : file_(file) {}

  // Whether it is whole, and of the commit that follows `epoch` or made it: over an older state, a backup's, its pages would make a
  // mixture. An error only where the system fails: a torn journal is a commit that never was.
  absl::StatusOr<bool> Check(std::uint64_t file_id, std::uint64_t epoch) {
    THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_.Size());
    if (size < sizeof(JournalHeader)) return false;
    std::array<std::byte, sizeof(JournalHeader)> bytes;
    THIMBLE_ASSIGN_OR_RETURN(const std::size_t got, file_.Read(0, bytes));
    if (got < bytes.size()) return false;
    header_ = Load<JournalHeader>(bytes.data());
    if (header_.magic != JournalHeader::kMagic || header_.zero != 0) return false;
    if (header_.superblock.file_id != file_id || header_.superblock.epoch < epoch || header_.superblock.epoch - epoch > 1) return false;
    if (header_.pages > (size - sizeof(JournalHeader)) / (8 + kPageBytes)) return false;
    numbers_.resize(header_.pages);
    THIMBLE_ASSIGN_OR_RETURN(const std::size_t numbers_got, file_.Read(sizeof(JournalHeader), std::as_writable_bytes(std::span(numbers_))));
    if (numbers_got < numbers_.size() * 8) return false;
    std::uint64_t chain = ChainStart(header_.superblock, numbers_);
    THIMBLE_RETURN_IF_ERROR(ForEachPage([&](std::uint64_t, std::span<const std::byte> page) {
      chain = Hash64(page, chain);
      return absl::OkStatus();
    }));
    return chain == header_.checksum;
  }

  // Requires: Check answered true. A superblock of `ruling` is in its place already, and is not written again: should that
  // tear, and the other one have been torn by the crash before, none would be left.
  absl::Status Apply(File& file, std::uint64_t ruling) {
    const Superblock& superblock = header_.superblock;
    THIMBLE_RETURN_IF_ERROR(file.Allocate(superblock.file_bytes));
    THIMBLE_RETURN_IF_ERROR(ForEachPage([&](std::uint64_t number, std::span<const std::byte> page) {
      if (number >= superblock.file_bytes / kPageBytes) return absl::DataLossError("the journal reaches outside the file");
      return file.Write(number * kPageBytes, page);
    }));
    if (superblock.epoch == ruling) return absl::OkStatus();
    return file.Write(kSuperblockAt[superblock.epoch % 2], ObjectBytes(superblock));
  }

 private:
  template <class Use>
  absl::Status ForEachPage(Use use) {
    std::vector<std::byte> run(std::min(kRunPages, numbers_.size()) * kPageBytes);
    const std::uint64_t pages_at = sizeof(JournalHeader) + numbers_.size() * 8;
    for (std::size_t first = 0; first < numbers_.size(); first += kRunPages) {
      const std::size_t count = std::min(kRunPages, numbers_.size() - first);
      THIMBLE_ASSIGN_OR_RETURN(const std::size_t got, file_.Read(pages_at + first * kPageBytes, std::span(run).first(count * kPageBytes)));
      if (got < count * kPageBytes) return absl::DataLossError("the journal was truncated");
      for (std::size_t i = 0; i < count; ++i) {
        THIMBLE_RETURN_IF_ERROR(use(numbers_[first + i], std::span<const std::byte>(run).subspan(i * kPageBytes, kPageBytes)));
      }
    }
    return absl::OkStatus();
  }

  File& file_;
  JournalHeader header_;
  std::vector<std::uint64_t> numbers_;
};

// Makes both of the readers' sequences odd (a commit is being written) or even.
absl::Status SetSequences(File& file, bool odd) {
  for (const std::uint64_t superblock_at : kSuperblockAt) {
    const std::uint64_t at = superblock_at + kSequenceAfterSuperblock;
    std::array<std::byte, 8> bytes{};
    THIMBLE_RETURN_IF_ERROR(file.Read(at, bytes).status());
    const auto sequence = Load<std::uint64_t>(bytes.data());
    if ((sequence % 2 != 0) == odd) continue;
    const std::uint64_t next = sequence + 1;
    THIMBLE_RETURN_IF_ERROR(file.Write(at, ObjectBytes(next)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string JournalPath(FileSystem& system, const std::string& path) { return system.Resolve(path) + ".journal"; }

absl::Status WriteJournal(File& journal, const Superblock& superblock, std::span<const JournalPage> pages) {
  std::vector<std::uint64_t> numbers;
  for (const JournalPage& page : pages) numbers.push_back(page.number);
  JournalHeader header{.pages = pages.size(), .superblock = superblock};
  header.checksum = ChainStart(superblock, numbers);
  for (const JournalPage& page : pages) header.checksum = Hash64(std::span(page.contents, kPageBytes), header.checksum);
  Appender appender(journal);
  THIMBLE_RETURN_IF_ERROR(appender.Append(ObjectBytes(header)));
  THIMBLE_RETURN_IF_ERROR(appender.Append(BytesOf(numbers.data(), numbers.size())));
  for (const JournalPage& page : pages) THIMBLE_RETURN_IF_ERROR(appender.Append({page.contents, kPageBytes}));
  THIMBLE_RETURN_IF_ERROR(appender.Flush());
  return journal.Sync();
}

absl::Status Recover(FileSystem& system, const std::string& path, File& file) {
  THIMBLE_ASSIGN_OR_RETURN(const Superblock ruling, RulingSuperblock(From(file)));
  absl::StatusOr<std::unique_ptr<File>> journal = system.Open(JournalPath(system, path), FileSystem::Mode::kRead);
  if (journal.ok()) {
    JournalReader reader(**journal);
    THIMBLE_ASSIGN_OR_RETURN(const bool counts, reader.Check(ruling.file_id, ruling.epoch));
    if (counts) {
      // The writer may have died before it could say that it began.
      THIMBLE_RETURN_IF_ERROR(SetSequences(file, /*odd=*/true));
      THIMBLE_RETURN_IF_ERROR(reader.Apply(file, ruling.epoch));
      THIMBLE_RETURN_IF_ERROR(file.Sync());
    }
  } else if (journal.status().code() != absl::StatusCode::kNotFound) {
    return journal.status();
  }
  return SetSequences(file, /*odd=*/false);
}

absl::StatusOr<bool> RecoverAbandoned(FileSystem& system, const std::string& path) {
  const absl::StatusOr<std::unique_ptr<File>> journal = system.Open(JournalPath(system, path), FileSystem::Mode::kRead);
  if (journal.status().code() == absl::StatusCode::kNotFound) return false;
  THIMBLE_RETURN_IF_ERROR(journal.status());
  THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, system.Open(path, FileSystem::Mode::kUpdate));
  THIMBLE_ASSIGN_OR_RETURN(const bool locked, file->TryLock());
  if (locked) THIMBLE_RETURN_IF_ERROR(Recover(system, path, *file));
  return !locked;
}

}  // namespace thimble::format
