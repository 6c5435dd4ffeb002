#pragma once

// File systems that hand everything on to another one, for tests to derive from; and one that counts.

#include <memory>
#include <utility>

#include "thimble/file_system.h"

namespace thimble::testing {

// Hands everything on to another file: the base of those that count, fail or forget.
class ForwardingFile : public File {
 public:
  explicit ForwardingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  absl::StatusOr<std::uint64_t> Size() override { return file_->Size(); }
  absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) override { return file_->Read(offset, to); }
  absl::Status Write(std::uint64_t offset, std::span<const std::byte> from) override { return file_->Write(offset, from); }
  absl::Status Allocate(std::uint64_t bytes) override { return file_->Allocate(bytes); }
  absl::Status Truncate(std::uint64_t bytes) override { return file_->Truncate(bytes); }
  absl::Status Sync() override { return file_->Sync(); }
  absl::Status CopyModeOf(const std::string& path) override { return file_->CopyModeOf(path); }
  absl::StatusOr<bool> TryLock() override { return file_->TryLock(); }
  absl::StatusOr<std::span<std::byte>> Map(MapAccess access, std::uint64_t offset, std::uint64_t bytes) override {
    return file_->Map(access, offset, bytes);
  }
  absl::StatusOr<std::span<std::byte>> Remap(std::span<std::byte> run, std::uint64_t bytes) override { return file_->Remap(run, bytes); }
  void Unmap(std::span<std::byte> run) noexcept override { file_->Unmap(run); }
  absl::StatusOr<std::vector<std::uint64_t>> PrivatePages(std::span<const std::byte> run) override { return file_->PrivatePages(run); }
  absl::Status DropPrivatePages(std::span<std::byte> run) override { return file_->DropPrivatePages(run); }

 private:
  std::unique_ptr<File> file_;
};

class ForwardingFileSystem : public FileSystem {
 public:
  explicit ForwardingFileSystem(FileSystem& system = FileSystem::Real()) : system_(system) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override { return system_.Open(path, mode); }
  std::string Resolve(const std::string& path) override { return system_.Resolve(path); }
  absl::Status Rename(const std::string& from, const std::string& to, bool replace) override { return system_.Rename(from, to, replace); }
  absl::Status Remove(const std::string& path) override { return system_.Remove(path); }
  absl::Status SyncParent(const std::string& path) override { return system_.SyncParent(path); }
  absl::StatusOr<std::uint64_t> Random() override { return system_.Random(); }

 private:
  FileSystem& system_;
};

class CountingFileSystem : public ForwardingFileSystem {
 public:
  struct Counts {
    int writes = 0;
    int pages = 0;  // that the writes touch
    int syncs = 0;
  };
  Counts counts;

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    absl::StatusOr<std::unique_ptr<File>> file = ForwardingFileSystem::Open(path, mode);
    if (!file.ok()) return file;
    return std::make_unique<CountingFile>(*std::move(file), counts);
  }

 private:
  class CountingFile : public ForwardingFile {
   public:
    CountingFile(std::unique_ptr<File> file, Counts& counts) : ForwardingFile(std::move(file)), counts_(counts) {}
    absl::Status Write(std::uint64_t offset, std::span<const std::byte> from) override {
      ++counts_.writes;
      counts_.pages += static_cast<int>((offset + from.size() + 4095) / 4096 - offset / 4096);
      return ForwardingFile::Write(offset, from);
    }
    absl::Status Sync() override {
      ++counts_.syncs;
      return ForwardingFile::Sync();
    }

   private:
    Counts& counts_;
  };
};

}  // namespace thimble::testing
