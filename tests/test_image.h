#pragma once

// The simplest image there is, to test what holds images: `count` words that follow from a seed. Seed 0 makes equal words,
// which compress.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <stdlib.h>

#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble::testing {

class TestImageView {
 public:
  static constexpr Kind kKind = Kind::kPackedVector;

  static absl::StatusOr<TestImageView> Open(std::span<const std::byte> run) {
    absl::StatusOr<ImageHeader> header = ImageHeader::Read(run, kKind);
    if (!header.ok()) return header.status();
    if (LayoutOf(header->count) != header->image_bytes) return absl::DataLossError("bad length");
    return TestImageView(run.first(header->image_bytes), header->count);
  }
  absl::Status Verify() const { return absl::OkStatus(); }
  std::span<const std::byte> image() const { return image_; }
  std::uint64_t size() const { return count_; }
  std::uint64_t operator[](std::uint64_t i) const { return Load<std::uint64_t>(image_.data() + 64 + i * 8); }

  TestImageView(std::span<const std::byte> image, std::uint64_t count) : image_(image), count_(count) {}

 protected:
  static std::uint64_t LayoutOf(std::uint64_t count) {
    ImageLayout layout(64);
    layout.Add(count, 64);
    return layout.image_bytes();
  }

 private:
  std::span<const std::byte> image_;
  std::uint64_t count_;
};

class TestImage : public Owner<TestImageView> {
 public:
  static std::uint64_t ImageBytes(std::uint64_t count) { return LayoutOf(count); }
  TestImage(std::uint64_t count, std::uint64_t seed) : TestImage(count, seed, Buffer::Heap(LayoutOf(count))) {}
  TestImage(std::uint64_t count, std::uint64_t seed, Buffer buffer) : TestImage(count, seed, buffer.bytes(), std::move(buffer)) {}

 private:
  TestImage(std::uint64_t count, std::uint64_t seed, std::span<std::byte> run, Buffer&& buffer)
      : Owner(TestImageView(run.first(LayoutOf(count)), count), std::move(buffer)) {
    ImageHeader{.kind = kKind, .image_bytes = LayoutOf(count), .count = count, .used_bytes = LayoutOf(count)}.Write(
        {data(), LayoutOf(count)});
    for (std::uint64_t i = 0; i < count; ++i) Store(data() + 64 + i * 8, seed == 0 ? 7 : Hash64(i, seed));
    Store(data() + 64 + count * 8, std::uint64_t{0});
  }
};

// A folder that goes away with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "thimble-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename().string());
    return names;
  }

 private:
  std::string path_;
};

inline std::vector<std::byte> ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const std::span<const std::byte> bytes = BytesOf(text.data(), text.size());
  return {bytes.begin(), bytes.end()};
}

inline void WriteBytes(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace thimble::testing
