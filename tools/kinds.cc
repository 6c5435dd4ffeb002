#include "kinds.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "status_macros.h"
#include "thimble/bit_vector.h"
#include "thimble/bloom_filter.h"
#include "thimble/decimal_vector.h"
#include "thimble/elias_fano.h"
#include "thimble/frame_vector.h"
#include "thimble/hyperloglog.h"
#include "thimble/kmv_map.h"
#include "thimble/kmv_sketch.h"
#include "thimble/morris_counter_array.h"
#include "thimble/packed_vector.h"
#include "thimble/pcsa.h"
#include "thimble/quotient_filter.h"
#include "thimble/raw_compact_dict.h"
#include "thimble/raw_compact_map.h"
#include "thimble/record_heap.h"
#include "thimble/record_table.h"
#include "thimble/scalable_bloom_filter.h"
#include "thimble/skewed_vector.h"
#include "thimble/sparse_array.h"
#include "thimble/sparse_matrix.h"
#include "thimble/sparse_set.h"
#include "thimble/split_block_bloom_filter.h"
#include "thimble/static_filter.h"
#include "thimble/static_map.h"
#include "thimble/string_column.h"
#include "thimble/string_dictionary.h"
#include "thimble/string_map.h"
#include "thimble/string_pool.h"
#include "thimble/string_store.h"
#if THIMBLE_HAS_EXALOGLOG
#include "thimble/exaloglog.h"
#endif

namespace thimble::tools {
namespace {

template <ImageView View>
absl::Status VerifyAs(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const View view, View::Open(image));
  return view.Verify();
}

template <ImageView View, Contents (*kContents)(const View&)>
absl::StatusOr<Contents> ContentsAs(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const View view, View::Open(image));
  return kContents(view);
}

template <ImageView View, Contents (*kContents)(const View&)>
constexpr KindEntry Entry() {
  return {View::kKind, VerifyAs<View>, ContentsAs<View, kContents>};
}

// log2 of n over k.
double LogChoose(double n, double k) {
  if (k <= 0 || k >= n) return 0;
  if (n < 1e9) return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2.0);
  // The logarithms of factorials would cancel to nothing; by Stirling's formula they cancel beforehand.
  const double rest = n - k;
  return k * std::log2(n / k) - rest * std::log1p(-k / n) / std::log(2.0) - std::log2(2 * std::acos(-1.0) * k * (rest / n)) / 2;
}

double Share(double bits, std::uint64_t elements) { return elements == 0 ? 0 : bits / static_cast<double>(elements); }

Contents OfBitVector(const BitVectorView& v) {
  return {v.size(), Share(LogChoose(static_cast<double>(v.size()), static_cast<double>(v.ones())), v.size())};
}

Contents OfPackedVector(const PackedVectorView& v) { return {v.size(), v.width()}; }

Contents OfEliasFano(const EliasFanoView& v) {
  const auto n = static_cast<double>(v.size());
  return {v.size(), Share(LogChoose(static_cast<double>(v.max()) + n, n), v.size())};
}

// No filter of this rate, whatever it is made of, is smaller.
Contents OfBloomFilter(const BloomFilterView& v) { return {v.capacity(), -std::log2(v.FalsePositiveRate(v.capacity()))}; }

Contents OfSplitBlockBloomFilter(const SplitBlockBloomFilterView& v) {
  if (v.capacity() == 0) return {0, {}};  // bits from a file, which does not say of how many keys
  return {v.capacity(), -std::log2(v.FalsePositiveRate())};
}

// These know how many keys they hold.
template <class View>
Contents OfCountingFilter(const View& v) {
  const double rate = v.FalsePositiveRate();
  return {v.size(), rate > 0 ? std::optional(-std::log2(rate)) : std::nullopt};
}

Contents OfStaticMap(const StaticMapView& v) { return {v.size(), v.value_bits()}; }

template <class View>
Interval Distinct(const View& v) {
  return {v.Estimate(), v.LowerBound(2), v.UpperBound(2)};
}

// Registers; the memory of a count of distinct keys has no bound of its own.
Contents OfHyperLogLog(const HyperLogLogView& v) { return {v.register_count(), {}, Distinct(v)}; }
Contents OfPcsa(const PcsaView& v) { return {v.row_count(), {}, Distinct(v)}; }
#if THIMBLE_HAS_EXALOGLOG
Contents OfExaLogLog(const ExaLogLogView& v) { return {v.register_count(), {}, Distinct(v)}; }
#endif

// Hashes that are kept, whatever those of a sample could be coded in.
Contents OfKmvSketch(const KmvSketchView& v) { return {v.size(), {}, Distinct(v)}; }
Contents OfKmvMap(const KmvMapView& v) { return {v.size(), {}, v.Keys(2)}; }
Contents OfMorrisCounterArray(const MorrisCounterArrayView& v) { return {v.size(), v.scale().width()}; }

// How short text can be made, nobody knows.
template <class View>
Contents OfStrings(const View& v) {
  return {v.size(), {}};
}

// What a choice of frames, levels or digits could save at most, nobody knows.
Contents OfFrameVector(const FrameVectorView& v) { return {v.size(), {}}; }
Contents OfSkewedVector(const SkewedVectorView& v) { return {v.size(), {}}; }
Contents OfDecimalVector(const DecimalVectorView& v) { return {v.size(), {}}; }
Contents OfPackedRecords(const RecordTableView& v) { return {v.size(), {}}; }

// The order of integer keys is free to be any, so each costs all its bits.
Contents OfCompactDict(const RawCompactDictView& v) {
  if (v.has_string_keys()) return {v.size(), {}};
  return {v.size(), 8.0 * (v.key_bytes() + v.value_bytes())};
}

Contents OfCompactMap(const RawCompactMapView& v) {
  const double universe = std::exp2(8.0 * v.key_bytes());
  const auto n = static_cast<double>(v.size());
  return {v.size(), Share(LogChoose(universe, n) + 8.0 * v.value_bytes() * n, v.size())};
}

Contents OfRecordHeap(const RecordHeapView& v) { return {v.size(), {}}; }

// Of all sets of so many numbers in a range, its ends being so far apart.
double SetBits(std::uint64_t size, std::uint64_t distance) {
  return LogChoose(static_cast<double>(distance) + 1, static_cast<double>(size));
}

// How far the ends of a set are apart, as the numbers stand or as signed ones, of which the negative are the largest.
std::uint64_t Distance(const SparseSetView& v) {
  constexpr std::uint64_t kNegative = std::uint64_t{1} << 63;
  const std::uint64_t plain = v.Select(v.size() - 1) - v.Select(0);
  const std::optional<std::uint64_t> least = v.Next(kNegative), most = v.Previous(kNegative - 1);
  return least && most ? std::min(plain, *most - *least) : plain;
}

Contents OfSparseSet(const SparseSetView& v) { return {v.size(), v.empty() ? 0 : Share(SetBits(v.size(), Distance(v)), v.size())}; }

// Its values may be of any type that fits; how many bits each has is the same for all.
using SparseArrayOfAny = SparseArrayView<std::uint64_t>;
Contents OfSparseArray(const SparseArrayOfAny& v) {
  return {v.size(), v.empty() ? 0 : Share(SetBits(v.size(), v.Select(v.size() - 1).index - v.Select(0).index), v.size()) + v.value_bits()};
}

Contents OfSparseMatrix(const SparseMatrixView& v) {
  const std::uint64_t places = v.rows() * v.columns();
  return {v.size(), v.size() == 0 ? 0 : Share(SetBits(v.size(), places - 1), v.size()) + v.value_bits()};
}

// One line a kind.
constexpr KindEntry kKinds[] = {
#if THIMBLE_HAS_EXALOGLOG
    Entry<ExaLogLogView, OfExaLogLog>(),
#endif
    Entry<BitVectorView, OfBitVector>(),
    Entry<BloomFilterView, OfBloomFilter>(),
    Entry<RawCompactDictView, OfCompactDict>(),
    Entry<RawCompactMapView, OfCompactMap>(),
    Entry<DecimalVectorView, OfDecimalVector>(),
    Entry<EliasFanoView, OfEliasFano>(),
    Entry<FrameVectorView, OfFrameVector>(),
    Entry<HyperLogLogView, OfHyperLogLog>(),
    Entry<KmvMapView, OfKmvMap>(),
    Entry<KmvSketchView, OfKmvSketch>(),
    Entry<MorrisCounterArrayView, OfMorrisCounterArray>(),
    Entry<PackedVectorView, OfPackedVector>(),
    Entry<PcsaView, OfPcsa>(),
    Entry<QuotientFilterView, OfCountingFilter<QuotientFilterView>>(),
    Entry<RecordHeapView, OfRecordHeap>(),
    Entry<RecordTableView, OfPackedRecords>(),
    Entry<ScalableBloomFilterView, OfCountingFilter<ScalableBloomFilterView>>(),
    Entry<SkewedVectorView, OfSkewedVector>(),
    Entry<SparseArrayOfAny, OfSparseArray>(),
    Entry<SparseMatrixView, OfSparseMatrix>(),
    Entry<SparseSetView, OfSparseSet>(),
    Entry<SplitBlockBloomFilterView, OfSplitBlockBloomFilter>(),
    Entry<StaticFilterView, OfCountingFilter<StaticFilterView>>(),
    Entry<StaticMapView, OfStaticMap>(),
    Entry<StringColumnView, OfStrings>(),
    Entry<StringDictionaryView, OfStrings>(),
    Entry<RawStringMapView, OfStrings>(),
    Entry<StringPoolView, OfStrings>(),
    Entry<StringStoreView, OfStrings>(),
};

}  // namespace

const KindEntry* FindKind(Kind kind) {
  const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds), [kind](const KindEntry& entry) { return entry.kind == kind; });
  return found == std::end(kKinds) ? nullptr : found;
}

}  // namespace thimble::tools
