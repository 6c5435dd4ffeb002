#pragma once

#include <cstdint>
#include <string_view>

namespace thimble {

// What an image holds. The numbers are part of the file format: they are never reused, and all of them stand here.
enum class Kind : std::uint16_t {
  kNone = 0,

  // lib: exact structures
  kBitVector = 1,
  kPackedVector = 2,
  kEliasFano = 3,
  kStringStore = 4,
  kFrameVector = 5,
  kSkewedVector = 6,
  kPackedRecords = 7,
  kRecordHeap = 8,
  kCompactDict = 9,
  kCompactMap = 10,
  kSparseSet = 11,
  kSparseArray = 12,
  kSparseMatrix = 13,
  kStringDictionary = 14,
  kStringMap = 15,
  kStringColumn = 16,
  kStringPool = 17,
  kDecimalVector = 18,

  // sketches: approximate structures
  kBloomFilter = 64,
  kScalableBloomFilter = 65,
  kStaticFilter = 66,
  kStaticMap = 67,
  kQuotientFilter = 68,
  kSplitBlockBloomFilter = 69,
  kHyperLogLog = 70,
  kExaLogLog = 71,
  kMorrisCounterArray = 72,
  kKmvSketch = 73,
  kKmvMap = 74,
  kPcsa = 75,
};

// The class's name ("BloomFilter"), or "unknown" for a number that this version does not know.
std::string_view KindName(Kind kind);

// The version of the kind's layout, which every image carries. It rises when the same bytes would mean something else, and
// an image of another version is refused.
std::uint8_t KindVersion(Kind kind);

}  // namespace thimble
