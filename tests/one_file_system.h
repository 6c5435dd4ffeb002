#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "forwarding_file_system.h"

namespace thimble::testing {

// Serves one run of bytes as every file, without a journal. A mapping is the run itself, so that a sanitizer sees the first
// byte read past it.
class OneFileSystem final : public ForwardingFileSystem {
 public:
  explicit OneFileSystem(std::span<std::byte> bytes = {}) : bytes_(bytes) {}

  void Serve(std::span<std::byte> bytes) { bytes_ = bytes; }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode) override {
    if (path.ends_with(".journal")) return absl::NotFoundError(path);
    return std::make_unique<Served>(bytes_);
  }

 private:
  class Served final : public ForwardingFile {
   public:
    explicit Served(std::span<std::byte> bytes) : ForwardingFile(nullptr), bytes_(bytes) {}
    absl::StatusOr<std::uint64_t> Size() override { return bytes_.size(); }
    absl::StatusOr<std::size_t> Read(std::uint64_t offset, std::span<std::byte> to) override {
      const std::span<const std::byte> from = bytes_.subspan(std::min<std::uint64_t>(offset, bytes_.size()));
      const std::size_t count = std::min(from.size(), to.size());
      std::copy_n(from.begin(), count, to.begin());
      return count;
    }
    absl::StatusOr<std::span<std::byte>> Map(MapAccess, std::uint64_t, std::uint64_t) override { return bytes_; }
    void Unmap(std::span<std::byte>) noexcept override {}

   private:
    std::span<std::byte> bytes_;
  };

  std::span<std::byte> bytes_;
};

}  // namespace thimble::testing
