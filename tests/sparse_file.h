#pragma once

#include "testing.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>

#include <sys/mman.h>
#include <unistd.h>

namespace thimble::testing {

// A mapped file of zeros, of which only the pages that are written to take space on disk or in memory.
class SparseFile {
 public:
  explicit SparseFile(std::uint64_t bytes) : file_(std::tmpfile()), bytes_(bytes) {
    BOOST_REQUIRE(file_ != nullptr);
    BOOST_REQUIRE(ftruncate(fileno(file_), static_cast<off_t>(bytes)) == 0);
    at_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fileno(file_), 0);
    BOOST_REQUIRE(at_ != MAP_FAILED);
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

}  // namespace thimble::testing
