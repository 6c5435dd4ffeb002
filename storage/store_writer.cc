#include "thimble/store_writer.h"

#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

#include "status_macros.h"
#include "store_format.h"
#include "thimble/image.h"

namespace thimble {

class StoreWriter::Impl {
 public:
  Impl(FileSystem& system, std::string path) : system_(system), path_(std::move(path)) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (file_ == nullptr) return;
    file_.reset();
    (void)system_.Remove(temporary_);
  }

  absl::Status Start() {
    THIMBLE_ASSIGN_OR_RETURN(const std::uint64_t random, system_.Random());
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(random));
    temporary_ = path_ + ".tmp-" + digits;
    THIMBLE_ASSIGN_OR_RETURN(file_, system_.Open(temporary_, FileSystem::Mode::kCreate));
    return file_->CopyModeOf(path_);  // who could not read what is replaced cannot read the new one
  }

  absl::Status Add(std::string_view name, Kind kind, std::span<const std::byte> bytes, Codec codec) {
    if (!broken_.ok()) return broken_;
    if (name.empty() || name.size() > format::kMaxNameBytes) {
      return absl::InvalidArgumentError(path_ + ": a section's name has 1 to 255 bytes");
    }
    if (sections_.size() == format::kMaxSections) return absl::InvalidArgumentError(path_ + ": too many sections");
    if (!names_.emplace(name).second) {
      return absl::InvalidArgumentError(path_ + ": there is a section " + std::string(name) + " already");
    }
    broken_ = AddSection(name, kind, bytes, codec);
    return broken_;
  }

  absl::Status Finish() {
    if (!broken_.ok()) return broken_;
    broken_ = FinishFile();
    if (broken_.ok()) broken_ = absl::FailedPreconditionError(path_ + ": the file is finished");
    else return broken_;
    return absl::OkStatus();
  }

 private:
  static constexpr std::size_t kCopyBytes = 4 * format::kBlockBytes;

  absl::Status AddSection(std::string_view name, Kind kind, std::span<const std::byte> bytes, Codec codec) {
    format::Entry entry;
    entry.kind = kind;
    entry.codec = codec;
    entry.flags = format::Entry::kHasChecksum;
    entry.bytes = bytes.size();
    entry.offset = format::PlaceSection(end_, bytes.size());
    end_ = entry.offset;
    table_.clear();
    THIMBLE_RETURN_IF_ERROR(codec == Codec::kZstd ? AppendCompressed(bytes)
                                                   : InCopies(bytes, [&](auto part) { return Append(part); }));
    entry.stored_bytes = end_ - entry.offset;
    entry.table_offset = RoundUp(end_, 8);
    const std::span<const std::byte> table = BytesOf(table_.data(), table_.size());
    entry.checksum = Hash64(table);
    end_ = entry.table_offset;
    THIMBLE_RETURN_IF_ERROR(Write(table));
    sections_.push_back({std::string(name), entry});
    return absl::OkStatus();
  }

  absl::Status Write(std::span<const std::byte> bytes) {
    THIMBLE_RETURN_IF_ERROR(file_->Write(end_, bytes));
    end_ += bytes.size();
    return absl::OkStatus();
  }

  // Hands the bytes over in copies of whole blocks. Other threads may be setting bits of the image, and what is hashed or
  // compressed must be what is written.
  template <class Use>
  absl::Status InCopies(std::span<const std::byte> bytes, Use use) {
    copy_.resize(kCopyBytes);
    for (std::size_t from = 0; from < bytes.size(); from += kCopyBytes) {
      const std::span<const std::byte> part = bytes.subspan(from, std::min(kCopyBytes, bytes.size() - from));
      std::copy(part.begin(), part.end(), copy_.begin());
      THIMBLE_RETURN_IF_ERROR(use(std::span<const std::byte>(copy_).first(part.size())));
    }
    return absl::OkStatus();
  }

  // Writes the next bytes of a section. Requires: only the last call of a section leaves a block unfinished.
  absl::Status Append(std::span<const std::byte> bytes) {
    for (std::size_t from = 0; from < bytes.size(); from += format::kBlockBytes) {
      table_.push_back(Hash64(bytes.subspan(from, std::min<std::size_t>(format::kBlockBytes, bytes.size() - from))));
    }
    return Write(bytes);
  }

  absl::Status AppendCompressed(std::span<const std::byte> bytes) {
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    if (context == nullptr) return absl::ResourceExhaustedError(path_ + ": no memory to compress");
    ZSTD_CCtx_setPledgedSrcSize(context.get(), bytes.size());
    std::vector<std::byte> block(format::kBlockBytes);
    ZSTD_outBuffer out{block.data(), block.size(), 0};
    const auto compress = [&](std::span<const std::byte> part, ZSTD_EndDirective directive) -> absl::Status {
      ZSTD_inBuffer in{part.data(), part.size(), 0};
      for (;;) {
        const std::size_t left = ZSTD_compressStream2(context.get(), &out, &in, directive);
        if (ZSTD_isError(left)) return absl::InternalError(path_ + ": zstd: " + ZSTD_getErrorName(left));
        const bool done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
        if (out.pos == out.size || (done && directive == ZSTD_e_end)) {
          THIMBLE_RETURN_IF_ERROR(Append(std::span(block).first(out.pos)));
          out.pos = 0;
        }
        if (done) return absl::OkStatus();
      }
    };
    THIMBLE_RETURN_IF_ERROR(InCopies(bytes, [&](std::span<const std::byte> part) { return compress(part, ZSTD_e_continue); }));
    return compress({}, ZSTD_e_end);
  }

  absl::Status FinishFile() {
    end_ = RoundUp(end_, 8);
    format::Superblock superblock;
    superblock.sections = static_cast<std::uint32_t>(sections_.size());
    superblock.epoch = 1;
    const std::vector<std::byte> directory = format::WriteDirectory(std::move(sections_));
    superblock.directory_offset = end_;
    superblock.directory_bytes = directory.size();
    superblock.directory_checksum = Hash64(directory);
    superblock.file_id = superblock.directory_checksum;
    THIMBLE_RETURN_IF_ERROR(Write(directory));
    superblock.file_bytes = end_;
    superblock.Seal();
    for (const std::uint64_t at : format::kSuperblockAt) {
      THIMBLE_RETURN_IF_ERROR(file_->Write(at, BytesOf(reinterpret_cast<const std::byte*>(&superblock), sizeof superblock)));
    }
    // An empty directory leaves nothing behind the superblocks, whose last page is not full.
    if (directory.empty()) THIMBLE_RETURN_IF_ERROR(file_->Allocate(end_));
    THIMBLE_RETURN_IF_ERROR(file_->Sync());
    // What replaced a file that somebody writes would cut it off from its name, and from readers. Nobody begins to meanwhile: the
    // lock is kept until the new file is there.
    const absl::StatusOr<std::unique_ptr<File>> there = system_.Open(path_, FileSystem::Mode::kUpdate);
    if (there.ok()) {
      THIMBLE_ASSIGN_OR_RETURN(const bool free, (*there)->TryLock());
      if (!free) return absl::InvalidArgumentError(path_ + ": is a live file that somebody writes");
    }
    THIMBLE_RETURN_IF_ERROR(system_.Rename(temporary_, path_, /*replace=*/true));
    file_.reset();
    return system_.SyncParent(path_);
  }

  FileSystem& system_;
  const std::string path_;
  std::string temporary_;
  std::unique_ptr<File> file_;  // until it has its name
  std::uint64_t end_ = format::kSectionsFrom;
  std::vector<format::NamedEntry> sections_;
  std::set<std::string, std::less<>> names_;
  std::vector<std::uint64_t> table_;
  std::vector<std::byte> copy_;
  absl::Status broken_;
};

absl::StatusOr<StoreWriter> StoreWriter::Create(std::string path, FileSystem& system) {
  auto impl = std::make_unique<Impl>(system, std::move(path));
  THIMBLE_RETURN_IF_ERROR(impl->Start());
  return StoreWriter(std::move(impl));
}

StoreWriter::StoreWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoreWriter::StoreWriter(StoreWriter&&) noexcept = default;
StoreWriter& StoreWriter::operator=(StoreWriter&&) noexcept = default;
StoreWriter::~StoreWriter() = default;

absl::Status StoreWriter::Add(std::string_view name, std::span<const std::byte> image, Codec codec) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::ReadAny(image));
  if (header.image_bytes != image.size()) return absl::InvalidArgumentError("bytes behind the image");
  return impl_->Add(name, header.kind, image, codec);
}

absl::Status StoreWriter::AddBytes(std::string_view name, std::span<const std::byte> bytes, Codec codec) {
  return impl_->Add(name, Kind::kNone, bytes, codec);
}

absl::Status StoreWriter::Finish() { return impl_->Finish(); }

}  // namespace thimble
