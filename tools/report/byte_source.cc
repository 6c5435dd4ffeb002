#include "byte_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace thimble::tools {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;

absl::Status SystemError() { return absl::UnavailableError(std::strerror(errno)); }

// What begins like this, with any byte for a '?', would be read as lines of noise.
struct Unread {
  std::string_view magic, name, advice;
};
constexpr Unread kUnread[] = {
    {{"\xfd" "7zXZ\0", 6}, "xz data", "decompress it, and pass it through a pipe as -"},
    {"BZh?1AY&SY", "bzip2 data", "decompress it, and pass it through a pipe as -"},
    {"\x04\x22\x4d\x18", "lz4 data", "decompress it, and pass it through a pipe as -"},
    {"PK\x03\x04", "a zip archive or a spreadsheet", "extract it, or export it as CSV"},
    {"PAR1\x15", "Parquet data", "export it as CSV"},
    {"\xff\xfe", "text in UTF-16", "convert it to UTF-8, as iconv -f UTF-16 -t UTF-8 does"},
    {"\xfe\xff", "text in UTF-16", "convert it to UTF-8, as iconv -f UTF-16 -t UTF-8 does"},
};

bool Begins(std::string_view start, std::string_view magic) {
  return start.size() >= magic.size() && std::equal(magic.begin(), magic.end(), start.begin(), [](char m, char c) { return m == c || m == '?'; });
}

bool IsZstd(std::string_view start) {
  if (start.size() < 4) return false;
  const bool skippable = (start[0] & 0xf0) == 0x50 && start.substr(1, 3) == "\x2a\x4d\x18";  // pzstd begins with such a frame
  return skippable || start.substr(0, 4) == "\x28\xb5\x2f\xfd";
}

// A file, with its first bytes looked at before anybody reads them.
class File {
 public:
  explicit File(int fd) : fd_(fd), buffer_(kBufferBytes) {}
  ~File() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // What is buffered, refilled when empty; empty at the end of the file.
  absl::StatusOr<std::span<const char>> Peek() {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      if (absl::Status filled = FillTo(1); !filled.ok()) return filled;
    }
    return std::span<const char>(buffer_.data() + begin_, end_ - begin_);
  }
  void Skip(std::size_t bytes) { begin_ += bytes; }

  // Buffers at least `bytes`, if the file has them.
  absl::Status FillTo(std::size_t bytes) {
    while (end_ - begin_ < bytes) {
      const ssize_t got = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
      if (got == 0) break;
      if (got < 0 && errno != EINTR) return SystemError();
      if (got > 0) end_ += static_cast<std::size_t>(got);
    }
    return absl::OkStatus();
  }

 private:
  int fd_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::unique_ptr<File> file) : file_(std::move(file)) {}
  std::string_view compression() const override { return "plain"; }

  absl::StatusOr<std::size_t> Read(std::span<char> to) override {
    std::size_t filled = 0;
    while (filled < to.size()) {
      absl::StatusOr<std::span<const char>> from = file_->Peek();
      if (!from.ok()) return from.status();
      if (from->empty()) break;
      const std::size_t bytes = std::min(from->size(), to.size() - filled);
      std::memcpy(to.data() + filled, from->data(), bytes);
      file_->Skip(bytes);
      filled += bytes;
    }
    return filled;
  }

 private:
  std::unique_ptr<File> file_;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<File> file) : file_(std::move(file)) { inflateInit2(&stream_, 16 + MAX_WBITS); }
  ~GzipSource() override { inflateEnd(&stream_); }
  std::string_view compression() const override { return "gzip"; }

  absl::StatusOr<std::size_t> Read(std::span<char> to) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(to.size());
    while (stream_.avail_out > 0) {
      absl::StatusOr<std::span<const char>> from = file_->Peek();
      if (!from.ok()) return from.status();
      if (from->empty()) {
        if (!between_members_) return absl::DataLossError("the gzip data is cut short");
        break;
      }
      if (between_members_) {
        // A file may hold several members, with zeros behind them, as tapes and block devices leave them.
        if (const std::size_t zeros = ZerosIn(*from); zeros > 0) {
          file_->Skip(zeros);
          continue;
        }
        inflateReset(&stream_);
        between_members_ = false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from->data()));
      stream_.avail_in = static_cast<uInt>(from->size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      file_->Skip(from->size() - stream_.avail_in);
      if (result == Z_STREAM_END) {
        between_members_ = true;
      } else if (result != Z_OK) {
        return absl::DataLossError("the gzip data is damaged");
      }
    }
    return to.size() - stream_.avail_out;
  }

 private:
  static std::size_t ZerosIn(std::span<const char> from) {
    return static_cast<std::size_t>(std::find_if(from.begin(), from.end(), [](char c) { return c != '\0'; }) - from.begin());
  }

  std::unique_ptr<File> file_;
  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdSource final : public ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<File> file) : file_(std::move(file)), stream_(ZSTD_createDStream()) {}
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  std::string_view compression() const override { return "zstd"; }

  absl::StatusOr<std::size_t> Read(std::span<char> to) override {
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (out.pos < out.size) {
      absl::StatusOr<std::span<const char>> from = file_->Peek();
      if (!from.ok()) return from.status();
      if (from->empty()) {
        if (inside_frame_) return absl::DataLossError("the zstd data is cut short");
        break;
      }
      ZSTD_inBuffer in{from->data(), from->size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(result)) return absl::DataLossError(std::string("zstd: ") + ZSTD_getErrorName(result));
      inside_frame_ = result != 0;
      file_->Skip(in.pos);
    }
    return out.pos;
  }

 private:
  std::unique_ptr<File> file_;
  ZSTD_DStream* stream_;
  bool inside_frame_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  const int fd = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError();
  auto file = std::make_unique<File>(fd);
  if (absl::Status filled = file->FillTo(10); !filled.ok()) return filled;
  absl::StatusOr<std::span<const char>> start = file->Peek();
  if (!start.ok()) return start.status();
  const std::string_view magic(start->data(), start->size());
  for (const Unread& unread : kUnread) {
    if (!Begins(magic, unread.magic)) continue;
    return absl::InvalidArgumentError("this is " + std::string(unread.name) + ": " + std::string(unread.advice));
  }
  if (magic.starts_with("\x1f\x8b")) return std::make_unique<GzipSource>(std::move(file));
  if (IsZstd(magic)) return std::make_unique<ZstdSource>(std::move(file));
  return std::make_unique<PlainSource>(std::move(file));
}

}  // namespace thimble::tools
