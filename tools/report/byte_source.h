#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace thimble::tools {

// A stream of bytes: plain, gzip or zstd, told apart by their first bytes. Errors do not name the file.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills as much of `to` as there is; fewer bytes only at the end.
  virtual absl::StatusOr<std::size_t> Read(std::span<char> to) = 0;
  // "plain", "gzip" or "zstd".
  virtual std::string_view compression() const = 0;

  // "-" is stdin. Returns kInvalidArgument for what begins like another compression, an archive or UTF-16.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);
};

}  // namespace thimble::tools
