#pragma once

#include "testing.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <type_traits>

#include <sys/mman.h>
#include <unistd.h>

#include "thimble/buffer.h"

namespace thimble::testing {

// A mapped file of zeros, of which only the pages that are written to take space on disk or in memory.
class SparseFile {
 public:
  explicit SparseFile(std::uint64_t bytes) : file_(std::tmpfile()), bytes_(bytes) {
    BOOST_REQUIRE(file_ != nullptr);
    BOOST_REQUIRE(ftruncate(fileno(file_), static_cast<off_t>(bytes)) == 0);
    at_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fileno(file_), 0);
    BOOST_REQUIRE(at_ != MAP_FAILED);
    madvise(at_, bytes, MADV_RANDOM);  // or each page brings in many around it
  }
  SparseFile(const SparseFile&) = delete;
  SparseFile& operator=(const SparseFile&) = delete;
  ~SparseFile() {
    munmap(at_, bytes_);
    std::fclose(file_);
  }

  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(at_), bytes_}; }

 private:
  std::FILE* file_;
  std::uint64_t bytes_;
  void* at_ = nullptr;
};

// Makes a filter in a mapped file of more than 8 GiB, and asks it for some keys; then calls use(filter).
template <class Filter, class Use>
void CheckBeyond8GiB(const typename Filter::Options& options, Use use) {
  const SparseFile file(Filter::ImageBytes(options));
  BOOST_TEST(file.bytes().size() > std::uint64_t{8} << 30);
  absl::StatusOr<Filter> filter = Filter::Make(options, Buffer::Borrow(file.bytes()));
  REQUIRE_OK(filter);
  for (std::uint64_t key = 0; key < 500; ++key) {
    if constexpr (std::is_void_v<decltype(filter->Add(key))>) {
      filter->Add(key);
    } else {
      REQUIRE_OK(filter->Add(key));
    }
  }
  const auto view = decltype(filter->view())::Open(file.bytes());
  REQUIRE_OK(view);
  for (std::uint64_t key = 0; key < 1500; ++key) BOOST_TEST(view->Contains(key) == (key < 500));
  use(*filter);
}

}  // namespace thimble::testing
