#include "thimble/store.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "journal.h"
#include "prefixed.h"
#include "status_macros.h"
#include "store_format.h"

namespace thimble {

std::string_view StateName(FileState state) {
  return state == FileState::kSealed ? "sealed" : state == FileState::kClean ? "clean" : "dirty";
}

namespace {

// Counts the commits of a journaled file; kUnavailable while one is being written.
absl::StatusOr<std::uint64_t> SequenceOf(const MappedFile& file) {
  if (file.bytes().size() < format::kSectionsFrom) return absl::DataLossError(file.path() + ": the file was truncated");
  std::array<std::uint64_t, 2> words{};
  THIMBLE_RETURN_IF_ERROR(file.Guard([&] {
    for (int which : {0, 1}) {
      const std::byte* at = file.bytes().data() + format::kSuperblockAt[which] + format::kSequenceAfterSuperblock;
      words[which] = __atomic_load_n(reinterpret_cast<const std::uint64_t*>(at), __ATOMIC_ACQUIRE);
    }
  }));
  if ((words[0] | words[1]) % 2 != 0) return absl::UnavailableError(file.path() + ": a commit is being written");
  return words[0] + words[1];
}

// Runs read() again until no commit came in between; finishes one that a dead writer left half done. `mapped` is the file's mapping.
template <class F>
absl::Status BetweenCommits(FileSystem& system, const MappedFile& mapped, F read) {
  using namespace std::chrono_literals;
  constexpr int kAttempts = 2000;
  constexpr int kSuspicious = 50;  // attempts after which the writer may be dead
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    const absl::StatusOr<std::uint64_t> before = SequenceOf(mapped);
    if (absl::IsUnavailable(before.status())) {
      status = before.status();
      if (attempt % kSuspicious == 0) THIMBLE_RETURN_IF_ERROR(format::RecoverAbandoned(system, mapped.path()).status());
      std::this_thread::sleep_for(100us);
      continue;
    }
    THIMBLE_RETURN_IF_ERROR(before.status());
    status = read();
    std::atomic_thread_fence(std::memory_order_acquire);
    const absl::StatusOr<std::uint64_t> after = SequenceOf(mapped);
    if (after.ok() && *after == *before) return status;
    status = absl::UnavailableError(mapped.path() + ": commits follow each other too fast");
  }
  return status;
}

}  // namespace

StoreReader::StoreReader(MappedFile file, const Options& options)
    : file_(std::move(file)),
      system_(options.system != nullptr ? options.system : &FileSystem::Real()),
      strict_(options.strict),
      max_load_bytes_(options.max_load_bytes) {}

absl::StatusOr<StoreReader> StoreReader::Open(const std::string& path, const Options& options) {
  FileSystem& system = options.system != nullptr ? *options.system : FileSystem::Real();
  THIMBLE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path, options.load, system));
  // The last commit of a journaled file may be in its journal only, or half in the file.
  const absl::StatusOr<format::Superblock> ruling = format::RulingSuperblock(format::From(file));
  bool written = false;
  if (ruling.ok() && ruling->discipline == Discipline::kJournaled && ruling->state == FileState::kDirty) {
    THIMBLE_ASSIGN_OR_RETURN(written, format::RecoverAbandoned(system, path));
    THIMBLE_ASSIGN_OR_RETURN(file, MappedFile::Open(path, options.load, system));
  }
  StoreReader store(std::move(file), options);
  if (!written) {
    absl::Status read = store.ReadContents();
    // A writer that closes or opens the file changes length, superblock and directory under us: look again at what stands then.
    for (int attempt = 0; attempt < 10 && absl::IsDataLoss(read) && ruling.ok() && ruling->discipline != Discipline::kNone; ++attempt) {
      THIMBLE_ASSIGN_OR_RETURN(store.file_, MappedFile::Open(path, options.load, system));
      read = store.ReadContents();
    }
    THIMBLE_RETURN_IF_ERROR(read);
    return store;
  }
  // Superblock and directory, and all of a copy, are of one state too.
  THIMBLE_ASSIGN_OR_RETURN(const MappedFile beside, MappedFile::Open(path, MappedFile::Load::kMap, system));
  THIMBLE_RETURN_IF_ERROR(BetweenCommits(system, beside, [&]() -> absl::Status {
    THIMBLE_ASSIGN_OR_RETURN(store.file_, MappedFile::Open(path, options.load, system));
    return store.ReadContents();
  }));
  return store;
}

absl::Status StoreReader::ReadContents() {
  absl::StatusOr<format::Contents> contents = format::Contents::Read(format::From(file_), file().size());
  if (!contents.ok()) return Prefixed(path(), contents.status());
  if (strict_ && contents->superblock().state == FileState::kDirty) {
    return absl::FailedPreconditionError(path() + ": was not closed; it holds at least the state of epoch " +
                                         std::to_string(contents->superblock().epoch));
  }
  contents_ = std::make_shared<format::Contents>(*std::move(contents));
  return absl::OkStatus();
}

FileState StoreReader::state() const { return contents_->superblock().state; }
Discipline StoreReader::discipline() const { return contents_->superblock().discipline; }
std::uint64_t StoreReader::epoch() const { return contents_->superblock().epoch; }
std::size_t StoreReader::size() const { return contents_->superblock().sections; }

absl::Status StoreReader::About(std::string_view name, const absl::Status& status) const {
  return Prefixed(path() + ": section " + std::string(name), status);
}

SectionInfo StoreReader::Section(std::size_t i) const {
  const auto [entry, name] = contents_->Section(i);
  return SectionInfo{.name = std::string(name),
                     .kind = entry.kind,
                     .codec = entry.codec,
                     .checksummed = (entry.flags & format::Entry::kHasChecksum) != 0,
                     .offset = entry.offset,
                     .stored_bytes = entry.stored_bytes,
                     .bytes = entry.bytes};
}

absl::StatusOr<SectionInfo> StoreReader::Find(std::string_view name) const {
  const std::size_t i = contents_->Find(name);
  if (i == size()) return About(name, absl::NotFoundError("not in the file"));
  SectionInfo section = Section(i);
  // Where a Read failed, the file may be mapped anew, and shorter than its sections were.
  if (section.stored_bytes > file().size() || section.offset > file().size() - section.stored_bytes) return About(name, absl::DataLossError("the file was truncated"));
  return section;
}

absl::StatusOr<std::span<const std::byte>> StoreReader::Bytes(std::string_view name, Check check) const {
  THIMBLE_ASSIGN_OR_RETURN(const SectionInfo section, Find(name));
  if (section.codec != Codec::kNone) return About(name, absl::FailedPreconditionError("is compressed: load it"));
  if (check == Check::kFirst) THIMBLE_RETURN_IF_ERROR(VerifySection(name));
  return file().subspan(section.offset, section.stored_bytes);
}

absl::StatusOr<Buffer> StoreReader::Load(std::string_view name) const {
  THIMBLE_ASSIGN_OR_RETURN(const SectionInfo section, Find(name));
  if (section.codec > Codec::kZstd) return About(name, absl::UnimplementedError("unknown codec"));
  if (section.bytes > max_load_bytes_) {
    return About(name, absl::ResourceExhaustedError(std::to_string(section.bytes) + " bytes are more than the limit"));
  }
  THIMBLE_RETURN_IF_ERROR(VerifySection(name));
  const std::span<const std::byte> stored = file().subspan(section.offset, section.stored_bytes);
  // What the frame itself declares must agree before anything is allocated.
  std::uint64_t declared = section.bytes;
  THIMBLE_RETURN_IF_ERROR(file_.Guard([&] {
    if (section.codec == Codec::kZstd) declared = ZSTD_getFrameContentSize(stored.data(), stored.size());
  }));
  if (declared != section.bytes) {
    return About(name, absl::DataLossError("its frame is of another length"));
  }
  Buffer loaded = Buffer::Heap(section.bytes);
  std::size_t got = stored.size();
  THIMBLE_RETURN_IF_ERROR(file_.Guard([&] {
    if (section.codec == Codec::kNone) std::copy(stored.begin(), stored.end(), loaded.data());
    else got = ZSTD_decompress(loaded.data(), loaded.size(), stored.data(), stored.size());
  }));
  if (got != section.bytes) return About(name, absl::DataLossError("does not decompress"));
  return loaded;
}

absl::Status StoreReader::ReadWith(absl::Status (*read)(void*), void* context) {
  if (file_.copied()) return read(context);
  const auto guarded = [&] {
    absl::Status answer;
    THIMBLE_RETURN_IF_ERROR(file_.Guard([&] { answer = read(context); }));
    return answer;
  };
  if (discipline() != Discipline::kJournaled) return guarded();
  return BetweenCommits(*system_, file_, [&]() -> absl::Status {
    THIMBLE_RETURN_IF_ERROR(file_.Refresh());
    THIMBLE_RETURN_IF_ERROR(ReadContents());
    return guarded();
  });
}

}  // namespace thimble
