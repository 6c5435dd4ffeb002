// The libFuzzer targets, one program: its first argument names the target, libFuzzer's own follow.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "exercise/bit_vector.h"
#include "exercise/bloom_filter.h"
#include "exercise/decimal_vector.h"
#include "exercise/elias_fano.h"
#include "exercise/frame_vector.h"
#include "exercise/hyperloglog.h"
#include "exercise/kmv_map.h"
#include "exercise/kmv_sketch.h"
#include "exercise/morris_counter_array.h"
#include "exercise/packed_vector.h"
#include "exercise/pcsa.h"
#include "exercise/quotient_filter.h"
#include "exercise/raw_compact_dict.h"
#include "exercise/raw_compact_map.h"
#include "exercise/record_heap.h"
#include "exercise/record_table.h"
#include "exercise/scalable_bloom_filter.h"
#include "exercise/skewed_vector.h"
#include "exercise/sparse_array.h"
#include "exercise/sparse_matrix.h"
#include "exercise/sparse_set.h"
#include "exercise/split_block_bloom_filter.h"
#include "exercise/static_filter.h"
#include "exercise/static_map.h"
#include "exercise/string_column.h"
#include "exercise/string_dictionary.h"
#include "exercise/string_map.h"
#include "exercise/string_pool.h"
#include "exercise/string_store.h"
#include "image_target.h"
#include "targets.h"
#ifdef THIMBLE_HAS_EXALOGLOG
#include "exercise/exaloglog.h"
#endif

namespace thimble::fuzz {
namespace {

struct Target {
  std::string_view name;
  void (*run)(Bytes);
};

constexpr auto kTargets = std::to_array<Target>({
    {"bit_vector", FuzzImage<BitVectorView>},
    {"bloom_filter", FuzzImage<BloomFilterView, BloomFilter>},
    {"decimal_vector", FuzzImage<DecimalVectorView>},
    {"elias_fano", FuzzImage<EliasFanoView>},
#ifdef THIMBLE_HAS_EXALOGLOG
    {"exaloglog", FuzzImage<ExaLogLogView, ExaLogLog>},
#endif
    {"frame_vector", FuzzImage<FrameVectorView>},
    {"hll", FuzzHll},
    {"hyperloglog", FuzzImage<HyperLogLogView, HyperLogLog>},
    {"kmv_map", FuzzImage<KmvMapView, KmvMap>},
    {"kmv_sketch", FuzzImage<KmvSketchView, KmvSketch>},
    {"morris_counter_array", FuzzImage<MorrisCounterArrayView, MorrisCounterArray>},
    {"packed_vector", FuzzImage<PackedVectorView, PackedVector>},
    {"pcsa", FuzzImage<PcsaView, Pcsa>},
    {"postgres_hll", FuzzPostgresHll},
    {"quotient_filter", FuzzImage<QuotientFilterView, QuotientFilter>},
    {"raw_compact_dict", FuzzImage<RawCompactDictView, RawCompactDict>},
    {"raw_compact_map", FuzzImage<RawCompactMapView, RawCompactMap>},
    {"record_heap", FuzzImage<RecordHeapView, RecordHeap>},
    {"record_reader", FuzzRecordReader},
    {"record_table", FuzzImage<RecordTableView>},
    {"redis_hll", FuzzRedisHll},
    {"scalable_bloom_filter", FuzzImage<ScalableBloomFilterView, ScalableBloomFilter>},
    {"skewed_vector", FuzzImage<SkewedVectorView>},
    {"sparse_array", FuzzImage<SparseArrayView<std::uint32_t>, SparseArray<std::uint32_t>>},
    {"sparse_matrix", FuzzImage<SparseMatrixView>},
    {"sparse_set", FuzzImage<SparseSetView, SparseSet>},
    {"split_block_bloom_filter", FuzzImage<SplitBlockBloomFilterView, SplitBlockBloomFilter>},
    {"static_filter", FuzzImage<StaticFilterView>},
    {"static_map", FuzzImage<StaticMapView>},
    {"store", FuzzStore},
    {"string_column", FuzzImage<StringColumnView>},
    {"string_dictionary", FuzzImage<StringDictionaryView>},
    {"string_map", FuzzImage<StringMapView<std::uint64_t>>},
    {"string_pool", FuzzImage<StringPoolView, StringPool>},
    {"string_store", FuzzImage<StringStoreView>},
    {"theta", FuzzTheta},
});

const Target* chosen = nullptr;

}  // namespace
}  // namespace thimble::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  using thimble::fuzz::kTargets;
  const std::string_view name = *count > 1 ? (*arguments)[1] : "";
  thimble::fuzz::chosen = std::ranges::find(kTargets, name, &thimble::fuzz::Target::name);
  if (thimble::fuzz::chosen == kTargets.end()) {
    std::fputs("the first argument names what is fuzzed:", stderr);
    for (const thimble::fuzz::Target& target : kTargets) std::fprintf(stderr, " %s", target.name.data());
    std::fputs("\n", stderr);
    std::exit(2);
  }
  std::shift_left(*arguments + 1, *arguments + *count, 1);
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  thimble::fuzz::chosen->run(std::as_bytes(std::span(data, size)));
  return 0;
}
