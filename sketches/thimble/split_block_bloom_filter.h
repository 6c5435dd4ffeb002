#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "thimble/buffer.h"
#include "thimble/image.h"
#include "thimble/owner.h"

namespace thimble {

// XXH64 of the bytes that Parquet stores for a value ("plain encoding"): 4 or 8 little-endian bytes of a number, the bytes
// of a string without their length.
std::uint64_t ParquetHash(std::string_view value);
inline std::uint64_t ParquetHash(std::int32_t value) { return ParquetHash({reinterpret_cast<const char*>(&value), 4}); }
inline std::uint64_t ParquetHash(std::int64_t value) { return ParquetHash({reinterpret_cast<const char*>(&value), 8}); }
inline std::uint64_t ParquetHash(float value) { return ParquetHash(std::bit_cast<std::int32_t>(value)); }
inline std::uint64_t ParquetHash(double value) { return ParquetHash(std::bit_cast<std::int64_t>(value)); }

// The read side of SplitBlockBloomFilter.
class SplitBlockBloomFilterView {
 public:
  static constexpr Kind kKind = Kind::kSplitBlockBloomFilter;

  static absl::StatusOr<SplitBlockBloomFilterView> Open(std::span<const std::byte> image);

  // Every pattern of bits is some filter; this is always OK.
  absl::Status Verify() const { return absl::OkStatus(); }

  std::span<const std::byte> image() const { return image_; }

  // What a Parquet file holds behind the filter's Thrift header.
  std::span<const std::byte> bitset() const { return image_.subspan(kHeaderBytes, blocks_ * 32); }

  template <class Value>
  bool Contains(const Value& value) const {
    return ContainsHash(ParquetHash(value));
  }
  bool ContainsHash(std::uint64_t hash) const;

  // The share of absent values that are found, with `keys` distinct values in it.
  double FalsePositiveRate(std::uint64_t keys) const;
  double FalsePositiveRate() const { return FalsePositiveRate(capacity_); }
  std::uint64_t capacity() const { return capacity_; }  // the keys that it was made for; 0 if its bits came from a file

 private:
  friend class SplitBlockBloomFilter;
  static constexpr std::size_t kHeaderBytes = 64;

  std::span<const std::byte> image_;
  std::uint64_t blocks_ = 0;
  std::uint64_t capacity_ = 0;
};

// Parquet's Bloom filter, bit for bit: for files that Spark, Arrow, Trino or DuckDB read, or that they wrote. Among its own
// kind BloomFilter is smaller.
//
//   SplitBlockBloomFilter filter({.capacity = 100'000});
//   filter.Add(std::int64_t{42});                          // a value of a column of INT64
//   file.write(filter.bitset());
//
//   absl::StatusOr<SplitBlockBloomFilter> read = SplitBlockBloomFilter::FromBitset(bytes);
//
// Space    a power of two of at least 32 bytes, as Arrow requires: 10.6 to 21 bits a key at 1 %
// Error    at most the rate asked for, at capacity
// Time     Add, Contains O(1): one 32-byte block
// Merge    lossless: Merge equals adding the values of both
// Threads  const methods are safe together; writers need exclusion
// Errors   Make: kInvalidArgument for an impossible rate or more than 128 MiB, the largest that Parquet allows
// Paper    parquet.apache.org/docs/file-format/bloomfilter; Putze, Sanders, Singler 2007
class SplitBlockBloomFilter : public Owner<SplitBlockBloomFilterView> {
 public:
  struct Options {
    std::uint64_t capacity = 0;
    double false_positive_rate = 0.01;
  };
  static constexpr std::uint64_t kMaxBitsetBytes = std::uint64_t{128} << 20;

  explicit SplitBlockBloomFilter(const Options& options);
  static absl::StatusOr<SplitBlockBloomFilter> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<SplitBlockBloomFilter> Make(const Options& options, Buffer buffer);
  static absl::StatusOr<SplitBlockBloomFilter> Open(Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);

  // Copies the bits of a filter that a Parquet file holds. Returns kDataLoss unless they are whole blocks of 32 bytes.
  static absl::StatusOr<SplitBlockBloomFilter> FromBitset(std::span<const std::byte> bitset);

  template <class Value>
  void Add(const Value& value) {
    AddHash(ParquetHash(value));
  }
  void AddHash(std::uint64_t hash);

  absl::Status Merge(const SplitBlockBloomFilterView& other);

  Stats stats() const { return {.live_bytes = image().size(), .peak_bytes = image().size()}; }

 private:
  using Owner::Owner;
  static absl::StatusOr<SplitBlockBloomFilter> MakeBlocks(std::uint64_t blocks, std::uint64_t capacity, Buffer buffer);
};

}  // namespace thimble
