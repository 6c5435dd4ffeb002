#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "thimble/foreign_hash.h"
#include "thimble/interval.h"
#include "thimble/owner.h"

namespace thimble {

// How a hash chooses a register and a rank. Sketches of different rules cannot be merged.
//
//   rule            register             rank                               hash scheme
//   kThimble        top p bits           trailing zeros + 1                 kThimble, kXxh64
//   kDataSketches   low p bits of h1     leading zeros of h2 + 1, <= 63     kMurmur3, seed 9001
//   kTrailing       low p bits           trailing zeros of the rest + 1     kMurmur64A (Redis: p = 14, seed 0xadc83b19),
//                                                                           kMurmur3 (PostgreSQL hll: h1, seed 0)
enum class RegisterRule : std::uint8_t { kThimble = 0, kDataSketches = 1, kTrailing = 2 };

// How an image holds its registers. A HyperLogLog is dense or, at first, sparse; a PackedHyperLogLog is one of the others.
enum class HyperLogLogForm : std::uint8_t {
  kDense = 0,       // one byte a register
  kSparse = 1,      // u32 coupons, one for each distinct hash: rank << 26 | register, at a precision of 26
  kPacked6 = 2,     // 6 bits a register, from the lowest on
  kPacked4 = 3,     // 4 bits a register above a common base, and a list of exceptions
  kCompressed = 4,  // the same, range-coded
};

class PackedHyperLogLog;
namespace internal {
class RegisterReader;
}

// Reads a HyperLogLog of any form.
class HyperLogLogView {
 public:
  static constexpr Kind kKind = Kind::kHyperLogLog;
  static constexpr unsigned kMinPrecision = 4, kMaxPrecision = 21;

  static absl::StatusOr<HyperLogLogView> Open(std::span<const std::byte> image);
  absl::Status Verify() const;
  std::span<const std::byte> image() const { return image_; }

  unsigned precision() const { return precision_; }
  std::size_t register_count() const { return std::size_t{1} << precision_; }
  HashScheme hash_scheme() const { return hash_scheme_; }
  RegisterRule rule() const { return rule_; }
  HyperLogLogForm form() const { return form_; }
  std::uint64_t seed() const { return seed_; }
  // The highest rank that the rule gives at this precision.
  unsigned max_rank() const { return rule_ == RegisterRule::kDataSketches ? 63 : 65 - precision_; }

  // How many distinct keys were added: from the registers, or by HIP where that is kept.
  double Estimate() const;
  // The relative standard error of Estimate().
  double StandardError() const;
  // The number of distinct keys if Estimate() is off by this many standard errors, upwards or downwards.
  double LowerBound(double sigmas) const;
  double UpperBound(double sigmas) const;

  // The same count by older estimators over the same registers (Durand and Flajolet 2003), for comparison: their standard
  // errors are 1.30 / sqrt(2^p) and, without the 30 % largest registers, 1.05 / sqrt(2^p).
  double EstimateLogLog() const;
  double EstimateSuperLogLog() const;

  // How many keys both have seen, by inclusion and exclusion: good for sets of like size only, since the bounds are those of
  // the union. Returns kInvalidArgument if they hash differently.
  absl::StatusOr<Interval> Intersection(const HyperLogLogView& other, double sigmas = 2) const;

  // A copy of all registers, in order.
  std::vector<std::uint8_t> Registers() const;
  // The coupons of a sparse sketch, ascending; where HIP is kept too, the last of them may stand as they came. None of another.
  std::span<const std::uint32_t> Coupons() const;
  // The historic inverse probability estimate, if it was asked for and the sketch has not been merged.
  std::optional<double> Hip() const;

  // The same sketch in 6 or 4 bits a register, or entropy-coded: see <thimble/packed_hyperloglog.h>.
  absl::StatusOr<PackedHyperLogLog> Packed(unsigned bits) const;
  PackedHyperLogLog Compressed() const;

  // Returns kInvalidArgument, with the reason, unless both hash alike: same scheme, seed and rule.
  absl::Status CheckCompatible(const HyperLogLogView& other) const;

 private:
  friend class HyperLogLog;
  friend class ConcurrentHyperLogLog;
  friend class internal::RegisterReader;
  HyperLogLogView() = default;

  std::span<const std::byte> image_;
  std::span<const std::byte> payload_;  // what follows the header and, where it is kept, the HIP estimate
  std::uint64_t seed_ = 0;
  std::uint64_t parameter_ = 0;  // of the form
  std::uint32_t coupons_ = 0;
  unsigned precision_ = kMinPrecision;
  bool keeps_hip_ = false;
  HashScheme hash_scheme_ = HashScheme::kThimble;
  RegisterRule rule_ = RegisterRule::kThimble;
  HyperLogLogForm form_ = HyperLogLogForm::kDense;
};

// Counts distinct keys in space that does not depend on how many there are.
//
//   HyperLogLog users({.precision = 12});
//   for (std::string_view name : names) users.Add(name);
//   users.Estimate();
//
// Space    8 * 2^p bits + 72 bytes                 p = 12: 4,168 bytes; packed 3.1 KB and 2.1 KB, compressed 1.5 KB
//          with a sparse start 4 bytes a key up to min(2^p / 4, 4096) keys, or 2^p * 3 / 32 as in DataSketches
// Error    standard error 1.04 / sqrt(2^p)         p = 12: 1.6 %; HIP 0.83 / sqrt(2^p); sparse: exact to 0.01 %
// Time     Add O(1), one cache line; Estimate and Merge O(2^p)
// Merge    lossless: merging sketches equals sketching the union; HIP estimates are dropped
// Threads  const methods are safe together; writers need exclusion (or see ConcurrentHyperLogLog)
// Errors   Make: kInvalidArgument; Merge: kInvalidArgument for another hash scheme, seed or rule
// Paper    Flajolet, Fusy, Gandouet, Meunier 2007; estimator: Ertl, arXiv:1702.01284
class HyperLogLog : public Owner<HyperLogLogView> {
 public:
  struct Options {
    unsigned precision = 12;  // p: 4 to 21
    HashScheme hash_scheme = HashScheme::kThimble;
    RegisterRule rule = RegisterRule::kThimble;
    std::uint64_t seed = 1;
    bool sparse = false;  // begin with a list of hashes; on the heap only
    bool hip = false;     // keep the HIP estimate too, 16 bytes; better while one stream feeds one sketch

    // What other systems use: the same items give the same registers as theirs. DataSketches begins with coupons and keeps
    // HIP; leave out `sparse` for a sketch in a given buffer, both for one that threads share, or whose image shall not depend
    // on the order of keys and merges.
    static Options DataSketches(unsigned lg_k, std::uint64_t seed = 9001);
    static Options Redis();
    static Options PostgreSql(unsigned log2m = 11);
  };

  explicit HyperLogLog(const Options& options);
  static absl::StatusOr<HyperLogLog> Make(const Options& options);
  // In bytes that are zero.
  static absl::StatusOr<HyperLogLog> Make(const Options& options, Buffer buffer);
  static std::uint64_t ImageBytes(const Options& options);
  static absl::StatusOr<HyperLogLog> Open(Buffer buffer);
  // Of registers or coupons from elsewhere; `hip` is the HIP estimate that came with them, where options.hip keeps it.
  // Returns kInvalidArgument unless there are 2^p registers, none above the highest rank.
  static absl::StatusOr<HyperLogLog> FromRegisters(const Options& options, std::span<const std::uint8_t> registers,
                                                   std::optional<double> hip = {});
  static absl::StatusOr<HyperLogLog> FromCoupons(const Options& options, std::span<const std::uint32_t> coupons);

  // A sketch of any form as a dense one, folded down to `precision`. Returns kInvalidArgument if that is above its own.
  static absl::StatusOr<HyperLogLog> Folded(const HyperLogLogView& view, unsigned precision);
  // What either has seen, at the lower precision of the two; sparse if both are.
  static absl::StatusOr<HyperLogLog> Union(const HyperLogLogView& a, const HyperLogLogView& b);

  // Adds a key: an integer of any width, text, or bytes. As in DataSketches, its rule ignores the empty string and
  // sign-extends unsigned integers too.
  template <std::integral T>
  void Add(T key) {
    if (registers_ != nullptr) [[likely]] {
      Raise(Hash64(key, seed()));
    } else {
      AddInteger(static_cast<std::uint64_t>(key), 64 - 8 * sizeof(T));
    }
  }
  void Add(std::string_view key);
  void Add(std::span<const std::byte> key) { Add(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())); }
  void AddMany(std::span<const std::uint64_t> keys);
  void AddMany(std::span<const std::string_view> keys);
  // Adds a key by its hash under this sketch's scheme and seed. Only the DataSketches rule looks at h2.
  void AddHash(Hash128 hash);
  void AddHash(std::uint64_t hash) { AddHash(Hash128{hash, 0}); }

  // Adds what the other has seen; its precision may be higher, and is then folded down to this one's. Returns
  // kInvalidArgument if it is lower.
  absl::Status Merge(const HyperLogLogView& other);
  Stats stats() const;

 private:
  HyperLogLog(HyperLogLogView view, Buffer buffer);
  std::uint8_t* mutable_registers();
  std::uint32_t* mutable_coupons();
  void RaiseTo(std::uint32_t index, std::uint8_t rank);
  void AddCoupon(std::uint32_t coupon, std::uint64_t most_unsorted);
  void SortCoupons();
  void SetCoupons(std::uint64_t count, std::uint64_t unsorted);
  void Densify();
  double SumOfRegisters() const;
  void StoreHip(double hip);
  void AddInteger(std::uint64_t key, unsigned unused_bits);
  template <class Key>
  void RaiseMany(std::span<const Key> keys);
  void Raise(std::uint64_t hash) {
    const auto rank = static_cast<Register>(std::countr_zero(hash | guard_) + 1);
    Register& value = registers_[hash >> shift_];
    if (value < rank) value = rank;
  }

  // A byte of a type of its own: a store through uint8_t may change any object, this one included, and would have a loop
  // of Add fetch everything below anew for every key.
  enum class Register : std::uint8_t {};

  Register* registers_ = nullptr;  // of a dense sketch without HIP, by thimble's scheme
  std::uint64_t guard_ = 0;        // ends the count of trailing zeros before the index
  unsigned shift_ = 0;
};

}  // namespace thimble
