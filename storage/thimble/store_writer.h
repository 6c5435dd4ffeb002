#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/file_system.h"
#include "thimble/store.h"

namespace thimble {

// Writes a sealed store file: many named images in one file, each with its checksums.
//
//   absl::StatusOr<StoreWriter> writer = StoreWriter::Create("seen.thimble");
//   status = writer->Add("urls", urls.image());
//   status = writer->Add("titles", titles.image(), Codec::kZstd);   // seldom read
//   status = writer->Finish();
//
// Until Finish returns OK the file at the path is the old one, or none; from then on it is the new one, whatever fails or
// dies when. The bytes go to a temporary file beside it (path + ".tmp-" and 16 digits), which is removed if the writer ends
// before Finish. The same sections make the same file, byte for byte.
//
// Space    256 KiB, 8 B for each 64 KiB of the section at hand, the names, and what zstd needs for a compressed section
// Time     O(bytes); Finish syncs
// Errors   kInvalidArgument: a name that is empty, taken or longer than 255 bytes, or a live file at the path that somebody
//          writes; kDataLoss: bytes that are no image. Neither
//          adds anything. Those of the system, after one of which nothing can be finished
// Threads  one at a time
class StoreWriter {
 public:
  static absl::StatusOr<StoreWriter> Create(std::string path, FileSystem& system = FileSystem::Real());

  StoreWriter(StoreWriter&&) noexcept;
  StoreWriter& operator=(StoreWriter&&) noexcept;
  ~StoreWriter();

  // Adds an image. Other threads may go on setting bits of it where its owner allows that. Compressed ones cannot be viewed in the file, only loaded.
  absl::Status Add(std::string_view name, std::span<const std::byte> image, Codec codec = Codec::kNone);
  // Adds bytes that are no image.
  absl::Status AddBytes(std::string_view name, std::span<const std::byte> bytes, Codec codec = Codec::kNone);

  absl::Status Finish();

 private:
  class Impl;
  explicit StoreWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace thimble
