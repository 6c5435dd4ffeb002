#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace thimble::tools {

// A temporary file without a name, written once and then mapped by children: whatever ends the program, nothing is left.
class Spool {
 public:
  // `buffer_bytes` is all that it holds in memory.
  static absl::StatusOr<Spool> Make(std::size_t buffer_bytes);
  Spool(Spool&& other) noexcept;
  Spool& operator=(Spool&& other) noexcept;
  ~Spool();

  absl::Status Append(std::string_view bytes);
  template <class T>
  absl::Status AppendValue(const T& value) {
    return Append({reinterpret_cast<const char*>(&value), sizeof value});
  }
  absl::Status Flush();
  std::uint64_t size() const { return size_; }

  // The whole file as memory, for as long as the process lives: for children.
  absl::StatusOr<std::span<const char>> Map() const;
  // Reads `size` bytes at `offset`, without mapping: for the parent.
  absl::Status ReadAt(std::uint64_t offset, std::span<char> to) const;

 private:
  Spool(int fd, std::size_t buffer_bytes) : fd_(fd), buffer_bytes_(buffer_bytes) {}

  int fd_ = -1;
  std::size_t buffer_bytes_ = 0;
  std::uint64_t size_ = 0;
  std::string buffer_;
};

// A column of text on disk: the bytes of the values, and where each ends.
class TextSpool {
 public:
  static absl::StatusOr<TextSpool> Make(std::size_t buffer_bytes);

  absl::Status Append(std::string_view value);
  absl::Status Flush();
  std::uint64_t size() const { return ends_.size() / sizeof(std::uint64_t); }
  std::uint64_t text_bytes() const { return bytes_.size(); }
  const Spool& bytes() const { return bytes_; }
  const Spool& ends() const { return ends_; }

  // Calls function(value) for each value in order, in constant memory.
  absl::Status ForEach(const std::function<absl::Status(std::string_view)>& function) const;

 private:
  TextSpool(Spool bytes, Spool ends) : bytes_(std::move(bytes)), ends_(std::move(ends)) {}

  Spool bytes_, ends_;
};

}  // namespace thimble::tools
