#include "thimble/live_file.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <tuple>

#include "journal.h"
#include "prefixed.h"
#include "status_macros.h"
#include "store_format.h"
#include "thimble/store_writer.h"

namespace thimble {
namespace {

using format::Entry;
using format::kPageBytes;
using format::NamedEntry;
using format::Superblock;

std::span<const std::byte> ObjectBytes(const Superblock& superblock) {
  return {reinterpret_cast<const std::byte*>(&superblock), sizeof superblock};
}

// A reader that repairs after a dead writer holds the lock for a moment, so a writer tries for longer than a moment.
absl::Status Lock(File& file, const std::string& path) {
  using namespace std::chrono_literals;
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(5ms);
    THIMBLE_ASSIGN_OR_RETURN(const bool locked, file.TryLock());
    if (locked) return absl::OkStatus();
  }
  return absl::UnavailableError(path + ": another process is updating it");
}

absl::Status CheckSections(const std::string& path, const std::vector<LiveSection>& sections, Discipline discipline) {
  const auto invalid = [&](const char* what) { return absl::InvalidArgumentError(path + ": " + what); };
  if (sections.size() > format::kMaxSections) return invalid("too many sections");
  std::vector<std::string_view> names;
  std::uint64_t bytes = 0;
  for (const LiveSection& section : sections) {
    if (section.name.empty() || section.name.size() > format::kMaxNameBytes) return invalid("a section's name has 1 to 255 bytes");
    if (section.bytes > format::kMaxFileBytes || (bytes += section.bytes) > format::kMaxFileBytes) return invalid("too many bytes");
    names.push_back(section.name);
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) return invalid("two sections of one name");
  const auto growing = std::count_if(sections.begin(), sections.end(), [](const LiveSection& s) { return s.may_grow; });
  if (growing > (discipline == Discipline::kJournaled ? 1 : 0)) return invalid("one section of a journaled file may grow");
  return absl::OkStatus();
}

}  // namespace

// An open live file. Its sections of fixed size lie in one mapping, the one that may grow in another, so that growth moves
// no bytes but those of the buffer that grows.
class LiveFile::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(FileSystem& system, std::string path) : system_(system), path_(std::move(path)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const std::span<std::byte> run : {control_, fixed_, growing_}) {
      if (!run.empty()) file_->Unmap(run);
    }
  }

  static absl::Status CreateFile(FileSystem& system, const std::string& path, Discipline discipline,
                                 std::vector<LiveSection> sections);
  absl::Status Open(Discipline discipline);

  absl::StatusOr<Buffer> Take(std::string_view name);
  absl::Status Sync();
  absl::Status Commit();
  absl::Status Seal(const std::string& path) const;
  absl::Status Close();

  std::uint64_t epoch() const { return ruling_.epoch; }
  bool was_closed() const { return was_closed_; }

  absl::StatusOr<std::span<std::byte>> Grow(std::span<std::byte> run, std::size_t bytes);

 private:
  class Lease;

  absl::Status ReadGeometry(Discipline discipline);
  absl::Status MarkDirty();
  absl::Status Map();
  absl::Status OpenJournal();

  std::span<std::byte> BytesOfSection(const Entry& entry) const;
  absl::StatusOr<std::vector<format::JournalPage>> DirtyPages() const;
  absl::Status WriteCommit(const Superblock& next, std::span<const format::JournalPage> pages);
  absl::Status DropPages(std::span<const format::JournalPage> pages);
  absl::Status WriteChecksums(Superblock& next);
  std::vector<std::byte> NextDirectory(Superblock& next) const;

  Superblock Next(FileState state) const;
  absl::Status WriteSuperblock(Superblock& next);

  // After a failure nobody knows what the disk holds: the first one is kept, and is the answer to everything.
  template <class Operation>
  absl::Status Once(Operation operation) {
    if (broken_.ok()) broken_ = operation();
    return broken_;
  }

  FileSystem& system_;
  const std::string path_;
  std::string journal_path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<File> journal_;
  Superblock ruling_;
  std::vector<NamedEntry> sections_;  // in order of their names
  NamedEntry* grower_ = nullptr;
  bool grown_ = false;  // since the last commit
  bool was_closed_ = false;
  std::span<std::byte> control_;  // the superblocks' pages, shared
  std::span<std::byte> fixed_;    // from the file's first byte
  std::span<std::byte> growing_;
  absl::Status broken_;
};

absl::Status LiveFile::Impl::CreateFile(FileSystem& system, const std::string& path, Discipline discipline,
                                        std::vector<LiveSection> sections) {
  THIMBLE_RETURN_IF_ERROR(CheckSections(path, sections, discipline));
  std::stable_partition(sections.begin(), sections.end(), [](const LiveSection& s) { return !s.may_grow; });
  std::uint64_t directory_bytes = 0;
  for (const LiveSection& section : sections) directory_bytes += sizeof(Entry) + section.name.size();
  directory_bytes = RoundUp(directory_bytes, 8);

  std::uint64_t end = format::LiveDirectoryAt(2, directory_bytes);
  std::vector<NamedEntry> entries;
  for (const LiveSection& section : sections) {
    const std::uint64_t offset = section.may_grow ? RoundUp(end, kPageBytes) : format::PlaceSection(end, section.bytes);
    Entry entry{.offset = offset, .stored_bytes = section.bytes, .bytes = section.bytes, .kind = section.kind};
    if (section.may_grow) entry.flags = Entry::kMayGrow;
    entries.push_back({section.name, entry});
    end = offset + section.bytes;
  }
  const std::vector<std::byte> directory = format::WriteDirectory(std::move(entries));
  Superblock superblock;
  superblock.state = FileState::kDirty;
  superblock.discipline = discipline;
  superblock.sections = static_cast<std::uint32_t>(sections.size());
  THIMBLE_ASSIGN_OR_RETURN(superblock.file_id, system.Random());
  superblock.epoch = 1;
  superblock.file_bytes = RoundUp(end, kPageBytes);
  superblock.directory_offset = format::LiveDirectoryAt(0, directory_bytes);
  superblock.directory_bytes = directory.size();
  superblock.directory_checksum = Hash64(directory);
  superblock.Seal();

  const std::string temporary = path + ".tmp-" + std::to_string(superblock.file_id);
  THIMBLE_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, system.Open(temporary, FileSystem::Mode::kCreate));
  const auto write = [&]() -> absl::Status {
    THIMBLE_RETURN_IF_ERROR(file->Allocate(superblock.file_bytes));
    THIMBLE_RETURN_IF_ERROR(file->Write(superblock.directory_offset, directory));
    THIMBLE_RETURN_IF_ERROR(file->Write(format::kSuperblockAt[superblock.epoch % 2], ObjectBytes(superblock)));
    THIMBLE_RETURN_IF_ERROR(file->Sync());
    return system.Rename(temporary, path, /*replace=*/false);
  };
  if (absl::Status status = write(); !status.ok()) {
    (void)system.Remove(temporary);
    return status;
  }
  return system.SyncParent(path);
}

absl::Status LiveFile::Impl::Open(Discipline discipline) {
  THIMBLE_ASSIGN_OR_RETURN(file_, system_.Open(path_, FileSystem::Mode::kUpdate));
  THIMBLE_RETURN_IF_ERROR(Lock(*file_, path_));
  THIMBLE_RETURN_IF_ERROR(format::Recover(system_, path_, *file_));
  THIMBLE_RETURN_IF_ERROR(ReadGeometry(discipline));
  if (discipline == Discipline::kJournaled) THIMBLE_RETURN_IF_ERROR(OpenJournal());
  THIMBLE_RETURN_IF_ERROR(MarkDirty());
  return Map();
}

absl::Status LiveFile::Impl::ReadGeometry(Discipline discipline) {
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_->Size());
  const absl::StatusOr<format::Contents> contents = format::Contents::Read(format::From(*file_), size);
  if (!contents.ok()) return Prefixed(path_, contents.status());
  ruling_ = contents->superblock();
  for (std::size_t i = 0; i < ruling_.sections; ++i) {
    const auto [entry, name] = contents->Section(i);
    sections_.push_back({std::string(name), entry});
  }
  if (ruling_.discipline != discipline) {
    return absl::FailedPreconditionError(path_ + (ruling_.state == FileState::kSealed ? ": is sealed" : ": is updated in another way"));
  }
  // Sections lie apart, behind the room for two directories, and what may grow lies last, from a page on: the mappings are cut there.
  // One without bytes may begin where the next does.
  std::vector<NamedEntry*> in_order;
  for (NamedEntry& section : sections_) in_order.push_back(&section);
  const auto place = [](const NamedEntry* section) {
    const Entry& entry = section->entry;
    return std::tuple(entry.offset, (entry.flags & Entry::kMayGrow) != 0, entry.stored_bytes);
  };
  std::sort(in_order.begin(), in_order.end(), [&](const NamedEntry* a, const NamedEntry* b) { return place(a) < place(b); });
  std::uint64_t end = format::LiveDirectoryAt(2, ruling_.directory_bytes);
  bool right = format::WriteDirectory(sections_).size() == ruling_.directory_bytes;
  for (NamedEntry* section : in_order) {
    const bool grows = (section->entry.flags & Entry::kMayGrow) != 0;
    right = right && section->entry.offset >= end && (!grows || (section == in_order.back() && section->entry.offset % kPageBytes == 0));
    right = right && (!grows || discipline == Discipline::kJournaled);
    end = section->entry.offset + section->entry.stored_bytes;
    if (grows) grower_ = section;
  }
  if (ruling_.state == FileState::kDirty) right = right && ruling_.file_bytes == RoundUp(end, kPageBytes);
  const auto is_directory_at = [&](int which) { return ruling_.directory_offset == format::LiveDirectoryAt(which, ruling_.directory_bytes); };
  right = right && (is_directory_at(0) || is_directory_at(1));
  if (!right) return absl::DataLossError(path_ + ": its sections do not lie as a live file's do");
  was_closed_ = ruling_.state == FileState::kClean;
  return absl::OkStatus();
}

absl::Status LiveFile::Impl::OpenJournal() {
  journal_path_ = format::JournalPath(system_, path_);
  absl::StatusOr<std::unique_ptr<File>> opened = system_.Open(journal_path_, FileSystem::Mode::kUpdate);
  if (opened.ok()) {
    // A torn journal may begin with anything, so no more can be told.
    if (format::RulingSuperblock(format::From(**opened)).ok()) {
      return absl::FailedPreconditionError(journal_path_ + ": is a store file, and stands where this file's journal would");
    }
  } else if (opened.status().code() == absl::StatusCode::kNotFound) {
    opened = system_.Open(journal_path_, FileSystem::Mode::kCreate);
    if (opened.ok()) THIMBLE_RETURN_IF_ERROR((*opened)->CopyModeOf(path_));  // it holds the file's pages
  }
  if (!opened.ok()) return opened.status();
  journal_ = *std::move(opened);
  return system_.SyncParent(journal_path_);
}

// DIRTY must be durable before the first store, and everything behind the last section gone before something grows there.
absl::Status LiveFile::Impl::MarkDirty() {
  std::uint64_t end = format::LiveDirectoryAt(2, ruling_.directory_bytes);
  for (NamedEntry& section : sections_) {
    section.entry.flags &= static_cast<std::uint8_t>(~Entry::kHasChecksum);
    section.entry.table_offset = section.entry.checksum = 0;
    end = std::max(end, section.entry.offset + section.entry.stored_bytes);
  }
  end = RoundUp(end, kPageBytes);
  if (ruling_.state == FileState::kClean) {
    Superblock next = Next(FileState::kDirty);
    const std::vector<std::byte> directory = NextDirectory(next);
    next.file_bytes = end;
    THIMBLE_RETURN_IF_ERROR(file_->Write(next.directory_offset, directory));
    THIMBLE_RETURN_IF_ERROR(file_->Sync());
    THIMBLE_RETURN_IF_ERROR(WriteSuperblock(next));
  }
  THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_->Size());
  if (size == end) return absl::OkStatus();
  THIMBLE_RETURN_IF_ERROR(file_->Truncate(end));
  // A closed file ends with a full page only by accident, so the room of the last one may have to be allocated.
  THIMBLE_RETURN_IF_ERROR(file_->Allocate(end));
  return file_->Sync();
}

absl::Status LiveFile::Impl::Map() {
  THIMBLE_ASSIGN_OR_RETURN(control_, file_->Map(MapAccess::kShared, 0, format::kSectionsFrom));
  const MapAccess access = ruling_.discipline == Discipline::kMonotone ? MapAccess::kShared : MapAccess::kPrivate;
  const std::uint64_t fixed_end = grower_ != nullptr ? grower_->entry.offset : ruling_.file_bytes;
  THIMBLE_ASSIGN_OR_RETURN(fixed_, file_->Map(access, 0, fixed_end));
  if (fixed_end == ruling_.file_bytes) return absl::OkStatus();
  THIMBLE_ASSIGN_OR_RETURN(growing_, file_->Map(access, fixed_end, ruling_.file_bytes - fixed_end));
  return absl::OkStatus();
}

std::span<std::byte> LiveFile::Impl::BytesOfSection(const Entry& entry) const {
  if ((entry.flags & Entry::kMayGrow) != 0) return growing_.first(entry.stored_bytes);
  return fixed_.subspan(entry.offset, entry.stored_bytes);
}

// What a buffer holds: its part of the mapping, which therefore outlives it.
class LiveFile::Impl::Lease final : public Memory {
 public:
  explicit Lease(std::shared_ptr<Impl> file) : file_(std::move(file)) {}
  absl::StatusOr<std::span<std::byte>> Grow(std::span<std::byte> run, std::size_t bytes) override { return file_->Grow(run, bytes); }
  void Release(std::span<std::byte>) noexcept override { delete this; }

 private:
  std::shared_ptr<Impl> file_;
};

absl::StatusOr<Buffer> LiveFile::Impl::Take(std::string_view name) {
  if (!broken_.ok()) return broken_;
  for (const NamedEntry& section : sections_) {
    if (section.name == name) return Buffer(new Lease(shared_from_this()), BytesOfSection(section.entry));
  }
  return absl::NotFoundError(path_ + ": section " + std::string(name) + ": not in the file");
}

absl::StatusOr<std::span<std::byte>> LiveFile::Impl::Grow(std::span<std::byte> run, std::size_t bytes) {
  if (!broken_.ok()) return broken_;
  if (grower_ == nullptr || run.data() != growing_.data()) {
    return absl::FailedPreconditionError(path_ + ": this section may not grow");
  }
  if (bytes > format::kMaxFileBytes) return absl::ResourceExhaustedError(path_ + ": too many bytes");
  if (bytes <= grower_->entry.stored_bytes) return growing_.first(bytes);  // another buffer of the section grew already
  const std::uint64_t offset = grower_->entry.offset;
  const std::uint64_t end = RoundUp(offset + bytes, kPageBytes);
  if (end - offset > growing_.size()) {
    const auto longer = [&]() -> absl::StatusOr<std::span<std::byte>> {
      THIMBLE_RETURN_IF_ERROR(file_->Allocate(end));
      return growing_.empty() ? file_->Map(MapAccess::kPrivate, offset, end - offset) : file_->Remap(growing_, end - offset);
    }();
    if (!longer.ok()) {  // the room that it took on the disk is not wanted any more
      (void)file_->Truncate(offset + growing_.size());
      return longer.status();
    }
    growing_ = *longer;
  }
  grower_->entry.stored_bytes = grower_->entry.bytes = bytes;
  grown_ = true;
  return growing_.first(bytes);
}

Superblock LiveFile::Impl::Next(FileState state) const {
  Superblock next = ruling_;
  next.state = state;
  ++next.epoch;
  return next;
}

// The directory as the sections are now, for the place that the ruling superblock's directory does not take. Whole pages: an
// older one may have been torn there.
std::vector<std::byte> LiveFile::Impl::NextDirectory(Superblock& next) const {
  std::vector<std::byte> directory = format::WriteDirectory(sections_);
  const bool first = ruling_.directory_offset != format::LiveDirectoryAt(0, directory.size());
  next.directory_offset = format::LiveDirectoryAt(first ? 0 : 1, directory.size());
  next.directory_checksum = Hash64(directory);
  directory.resize(RoundUp(directory.size(), kPageBytes));
  return directory;
}

absl::Status LiveFile::Impl::WriteSuperblock(Superblock& next) {
  next.Seal();
  THIMBLE_RETURN_IF_ERROR(file_->Write(format::kSuperblockAt[next.epoch % 2], ObjectBytes(next)));
  THIMBLE_RETURN_IF_ERROR(file_->Sync());
  ruling_ = next;
  return absl::OkStatus();
}

absl::Status LiveFile::Impl::Sync() {
  return Once([&]() -> absl::Status {
    THIMBLE_RETURN_IF_ERROR(file_->Sync());
    Superblock next = Next(FileState::kDirty);
    return WriteSuperblock(next);
  });
}

absl::StatusOr<std::vector<format::JournalPage>> LiveFile::Impl::DirtyPages() const {
  std::vector<format::JournalPage> pages;
  for (const std::span<std::byte> run : {fixed_, growing_}) {
    if (run.empty()) continue;
    const std::uint64_t first = run.data() == growing_.data() ? grower_->entry.offset / kPageBytes : 0;
    THIMBLE_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> numbers, file_->PrivatePages(run));
    for (const std::uint64_t number : numbers) pages.push_back({first + number, run.data() + number * kPageBytes});
  }
  return pages;
}

absl::Status LiveFile::Impl::Commit() {
  return Once([&]() -> absl::Status {
    THIMBLE_ASSIGN_OR_RETURN(std::vector<format::JournalPage> pages, DirtyPages());
    if (pages.empty() && !grown_) return absl::OkStatus();
    const std::size_t stored_to = pages.size();
    Superblock next = Next(FileState::kDirty);
    std::vector<std::byte> directory;
    if (grown_) {
      next.file_bytes = grower_->entry.offset + growing_.size();
      directory = NextDirectory(next);
      for (std::uint64_t at = 0; at < directory.size(); at += kPageBytes) {
        pages.push_back({(next.directory_offset + at) / kPageBytes, directory.data() + at});
      }
    }
    next.Seal();
    THIMBLE_RETURN_IF_ERROR(format::WriteJournal(*journal_, next, pages));
    THIMBLE_RETURN_IF_ERROR(WriteCommit(next, pages));
    grown_ = false;
    return DropPages(std::span(pages).first(stored_to));
  });
}

// Lets the mapping show the file again, a run of pages at a time.
absl::Status LiveFile::Impl::DropPages(std::span<const format::JournalPage> pages) {
  while (!pages.empty()) {
    std::size_t run = 1;
    while (run < pages.size() && pages[run].contents == pages[0].contents + run * kPageBytes) ++run;
    THIMBLE_RETURN_IF_ERROR(file_->DropPrivatePages({const_cast<std::byte*>(pages[0].contents), run * kPageBytes}));
    pages = pages.subspan(run);
  }
  return absl::OkStatus();
}

// Writes what the journal holds to its place. Readers see an odd sequence meanwhile, and read again.
absl::Status LiveFile::Impl::WriteCommit(const Superblock& next, std::span<const format::JournalPage> pages) {
  const std::uint64_t superblock_at = format::kSuperblockAt[next.epoch % 2];
  auto& word = *reinterpret_cast<std::uint64_t*>(control_.data() + superblock_at + format::kSequenceAfterSuperblock);
  const std::atomic_ref<std::uint64_t> sequence(word);
  sequence.fetch_add(1, std::memory_order_seq_cst);
  for (const format::JournalPage& page : pages) {
    THIMBLE_RETURN_IF_ERROR(file_->Write(page.number * kPageBytes, {page.contents, kPageBytes}));
  }
  THIMBLE_RETURN_IF_ERROR(file_->Write(superblock_at, ObjectBytes(next)));
  THIMBLE_RETURN_IF_ERROR(file_->Sync());
  sequence.fetch_add(1, std::memory_order_seq_cst);
  ruling_ = next;
  return absl::OkStatus();
}

absl::Status LiveFile::Impl::Seal(const std::string& path) const {
  if (!broken_.ok()) return broken_;
  if (journal_ != nullptr && system_.Resolve(path) == journal_path_) return absl::InvalidArgumentError(path + ": is this file's journal");
  THIMBLE_ASSIGN_OR_RETURN(StoreWriter writer, StoreWriter::Create(path, system_));
  for (const NamedEntry& section : sections_) {
    const std::span<const std::byte> bytes = BytesOfSection(section.entry);
    if (section.entry.kind == Kind::kNone) {
      THIMBLE_RETURN_IF_ERROR(writer.AddBytes(section.name, bytes));
      continue;
    }
    const absl::StatusOr<ImageHeader> header = ImageHeader::ReadAny(bytes);
    if (!header.ok()) return Prefixed(path_ + ": section " + section.name, header.status());
    THIMBLE_RETURN_IF_ERROR(writer.Add(section.name, bytes.first(header->image_bytes)));
  }
  return writer.Finish();
}

// Appends the tables of checksums behind the last section, and notes them in the sections' entries.
absl::Status LiveFile::Impl::WriteChecksums(Superblock& next) {
  for (NamedEntry& section : sections_) {
    const std::span<const std::byte> bytes = BytesOfSection(section.entry);
    std::vector<std::uint64_t> table;
    for (std::size_t from = 0; from < bytes.size(); from += format::kBlockBytes) {
      table.push_back(Hash64(bytes.subspan(from, std::min<std::size_t>(format::kBlockBytes, bytes.size() - from))));
    }
    const std::span<const std::byte> written = BytesOf(table.data(), table.size());
    section.entry.flags |= Entry::kHasChecksum;
    section.entry.table_offset = next.file_bytes;
    section.entry.checksum = Hash64(written);
    THIMBLE_RETURN_IF_ERROR(file_->Write(next.file_bytes, written));
    next.file_bytes += written.size();
  }
  return absl::OkStatus();
}

absl::Status LiveFile::Impl::Close() {
  if (ruling_.discipline == Discipline::kJournaled) THIMBLE_RETURN_IF_ERROR(Commit());
  const absl::Status closed = Once([&]() -> absl::Status {
    Superblock next = Next(FileState::kClean);
    THIMBLE_RETURN_IF_ERROR(WriteChecksums(next));
    // A growth that failed may have made the file longer.
    THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t size, file_->Size());
    if (size > next.file_bytes) THIMBLE_RETURN_IF_ERROR(file_->Truncate(next.file_bytes));
    const std::vector<std::byte> directory = NextDirectory(next);
    THIMBLE_RETURN_IF_ERROR(file_->Write(next.directory_offset, directory));
    THIMBLE_RETURN_IF_ERROR(file_->Sync());
    return WriteSuperblock(next);
  });
  if (!closed.ok()) return closed;
  // Older than the superblock, the journal means nothing any more; it is removed for tidiness, and under the lock.
  if (journal_ != nullptr) (void)system_.Remove(journal_path_);
  return absl::OkStatus();
}

LiveFile::LiveFile(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
LiveFile::LiveFile(LiveFile&&) noexcept = default;
LiveFile& LiveFile::operator=(LiveFile&&) noexcept = default;
LiveFile::~LiveFile() = default;

absl::StatusOr<std::shared_ptr<LiveFile::Impl>> LiveFile::OpenImpl(const std::string& path, Discipline discipline,
                                                                   FileSystem& system) {
  auto impl = std::make_shared<Impl>(system, path);
  THIMBLE_RETURN_IF_ERROR(impl->Open(discipline));
  return impl;
}

absl::StatusOr<std::shared_ptr<LiveFile::Impl>> LiveFile::CreateImpl(const std::string& path, Discipline discipline,
                                                                     std::vector<LiveSection> sections, FileSystem& system) {
  THIMBLE_RETURN_IF_ERROR(Impl::CreateFile(system, path, discipline, std::move(sections)));
  return OpenImpl(path, discipline, system);
}

absl::StatusOr<Buffer> LiveFile::Take(std::string_view name) { return impl_->Take(name); }
std::uint64_t LiveFile::epoch() const { return impl_->epoch(); }
bool LiveFile::was_closed() const { return impl_->was_closed(); }
absl::Status LiveFile::Seal(const std::string& path) const { return impl_->Seal(path); }
absl::Status LiveFile::Close() {
  const absl::Status closed = impl_->Close();
  if (closed.ok()) impl_.reset();
  return closed;
}

absl::StatusOr<MonotoneFile> MonotoneFile::Create(const std::string& path, std::vector<LiveSection> sections, FileSystem& system) {
  auto impl = CreateImpl(path, Discipline::kMonotone, std::move(sections), system);
  if (!impl.ok()) return impl.status();
  return MonotoneFile(*std::move(impl));
}

absl::StatusOr<MonotoneFile> MonotoneFile::Open(const std::string& path, FileSystem& system) {
  auto impl = OpenImpl(path, Discipline::kMonotone, system);
  if (!impl.ok()) return impl.status();
  return MonotoneFile(*std::move(impl));
}

absl::Status MonotoneFile::Sync() { return impl().Sync(); }

absl::StatusOr<JournaledFile> JournaledFile::Create(const std::string& path, std::vector<LiveSection> sections, FileSystem& system) {
  auto impl = CreateImpl(path, Discipline::kJournaled, std::move(sections), system);
  if (!impl.ok()) return impl.status();
  return JournaledFile(*std::move(impl));
}

absl::StatusOr<JournaledFile> JournaledFile::Open(const std::string& path, FileSystem& system) {
  auto impl = OpenImpl(path, Discipline::kJournaled, system);
  if (!impl.ok()) return impl.status();
  return JournaledFile(*std::move(impl));
}

absl::Status JournaledFile::Commit() { return impl().Commit(); }

}  // namespace thimble
