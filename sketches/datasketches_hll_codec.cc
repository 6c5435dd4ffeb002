#include "datasketches_hll_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "packed_registers.h"
#include "status_macros.h"
#include "thimble/bytes.h"

// The preamble, little-endian:
//
//   0 preamble ints: 2 LIST, 3 SET, 10 HLL    8 SET: u32 count     8 HLL: f64 HIP accumulator
//   1 serial version, 1                      12 SET: coupons      16 HLL: f64 sum of 2^-v over the registers v < 32
//   2 family, 7 = HLL                                             24 HLL: f64 the same over the others
//   3 lg_k                                                        32 HLL: u32 registers at the minimum
//   4 lg of the array's ints                                      36 HLL: u32 count of exceptions (HLL_4)
//   5 flags                                                       40 HLL: registers, then exceptions
//   6 LIST: count; HLL_4: minimum
//   7 mode, and width << 2                    8 LIST: coupons
//
// HLL_4 stores value - minimum in a nibble, and 15 where that does not fit: the value then stands in a hash table of
// exceptions, value << 26 | slot, at 1 << byte 4 places (updatable) or just its entries (compact).

namespace thimble {
namespace {

constexpr std::uint8_t kHllFamily = 7;
constexpr std::uint8_t kHllIsEmpty = 4, kHllIsCompact = 8, kOutOfOrder = 16, kFullSize = 32;
constexpr unsigned kListMode = 0, kSetMode = 1, kHllMode = 2;
constexpr std::size_t kListStart = 8, kSetStart = 12, kRegisterStart = 40;
constexpr unsigned kLgList = 3, kLgFirstSet = 5;
constexpr unsigned kException = 15, kOpen = 0xff;

absl::Status CorruptHll(const char* what) { return absl::DataLossError(std::string("HLL sketch: ") + what); }

// Smallest exception table of an updatable HLL_4 sketch, as lg of its ints.
unsigned LgFirstExceptions(unsigned lg_k) {
  constexpr std::array<std::uint8_t, 18> kLg = {2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  return kLg[lg_k - HllFields::kMinLgK];
}

std::uint32_t Entry(unsigned value, std::uint32_t address) { return value << HllFields::kAddressBits | address; }
unsigned ValueOf(std::uint32_t entry) { return entry >> HllFields::kAddressBits; }
std::uint32_t AddressOf(std::uint32_t entry) { return entry & static_cast<std::uint32_t>(LowBits(HllFields::kAddressBits)); }

std::vector<std::uint32_t> LoadInts(std::span<const std::byte> bytes) {
  std::vector<std::uint32_t> ints(bytes.size() / 4);
  for (std::size_t i = 0; i < ints.size(); ++i) ints[i] = Load<std::uint32_t>(bytes.data() + i * 4);
  return ints;
}

// The open-addressed tables of coupons (key: the address) and of exceptions (key: the slot), grown above 3/4.
class IntTable {
 public:
  explicit IntTable(unsigned lg_size) : lg_size_(lg_size), entries_(std::size_t{1} << lg_size) {}

  // Requires: the entry is not there.
  void Add(std::uint32_t entry) {
    Place(entries_, lg_size_, entry);
    ++count_;
    if (4 * count_ > 3 * entries_.size()) Grow();
  }
  unsigned lg_size() const { return lg_size_; }
  std::size_t count() const { return count_; }
  const std::vector<std::uint32_t>& entries() const { return entries_; }

 private:
  static void Place(std::vector<std::uint32_t>& entries, unsigned lg_size, std::uint32_t entry) {
    const std::uint32_t key = AddressOf(entry);
    const std::uint32_t mask = static_cast<std::uint32_t>(entries.size() - 1);
    const std::uint32_t stride = (key >> lg_size) | 1;
    std::uint32_t at = key & mask;
    while (entries[at] != 0) at = (at + stride) & mask;
    entries[at] = entry;
  }
  void Grow() {
    std::vector<std::uint32_t> grown(entries_.size() * 2);
    for (std::uint32_t entry : entries_) {
      if (entry != 0) Place(grown, lg_size_ + 1, entry);
    }
    entries_ = std::move(grown);
    ++lg_size_;
  }

  unsigned lg_size_;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> entries_;
};

// Entries of a compact array, or of a table with free places; all must be distinct in their whole value.
absl::StatusOr<std::vector<std::uint32_t>> ReadEntries(std::span<const std::byte> bytes, std::size_t count) {
  std::vector<std::uint32_t> entries = LoadInts(bytes);
  entries.erase(std::remove(entries.begin(), entries.end(), 0u), entries.end());
  if (entries.size() != count) return CorruptHll("the count does not fit the entries");
  std::vector<std::uint32_t> sorted = entries;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return CorruptHll("an entry stands twice");
  for (std::uint32_t entry : entries) {
    if (ValueOf(entry) == 0) return CorruptHll("an entry without a value");
  }
  return entries;
}

absl::Status ReadList(std::span<const std::byte> bytes, HllFields& sketch) {
  const std::size_t count = std::to_integer<std::size_t>(bytes[6]);
  const bool empty = (std::to_integer<unsigned>(bytes[5]) & kHllIsEmpty) != 0;
  if (count >= (1u << kLgList)) return CorruptHll("the list is too long");
  if (empty != (count == 0)) return CorruptHll("the empty flag contradicts the count");
  const std::size_t places = sketch.compact ? count : std::size_t{1} << kLgList;
  if (bytes.size() != kListStart + places * 4) return CorruptHll("bad length of a list");
  THIMBLE_ASSIGN_OR_RETURN(sketch.coupons, ReadEntries(bytes.subspan(kListStart), count));
  return absl::OkStatus();
}

// Places of the table of an updatable set; releases that did not write their number leave it to be found.
std::size_t SetPlaces(unsigned lg_places, std::size_t count) {
  if (lg_places < kLgFirstSet) {
    for (lg_places = kLgFirstSet; 4 * count > std::size_t{3} << lg_places;) ++lg_places;
  }
  return lg_places < 32 ? std::size_t{1} << lg_places : 0;
}

absl::Status ReadSet(std::span<const std::byte> bytes, HllFields& sketch) {
  if (sketch.lg_k < 8 || bytes.size() < kSetStart) return CorruptHll("bad set");
  const std::size_t count = Load<std::uint32_t>(bytes.data() + 8);
  const std::size_t places = (bytes.size() - kSetStart) / 4;
  if (bytes.size() % 4 != 0 || places > (std::size_t{1} << (sketch.lg_k - 3)) || 4 * count > (std::size_t{3} << (sketch.lg_k - 3))) return CorruptHll("bad length of a set");
  if (sketch.compact ? places != count : places != SetPlaces(std::to_integer<unsigned>(bytes[4]), count)) return CorruptHll("bad length of a set");
  THIMBLE_ASSIGN_OR_RETURN(sketch.coupons, ReadEntries(bytes.subspan(kSetStart), count));
  if (sketch.coupons.empty()) return CorruptHll("an empty set");
  return absl::OkStatus();
}

// Replaces each 15 by its exception, which must be there once, and be needed.
absl::Status ReadExceptions(std::span<const std::byte> bytes, std::size_t count, unsigned lg_places, unsigned minimum, HllFields& sketch) {
  const std::size_t places = bytes.size() / 4;
  const bool fits = sketch.compact ? places == count
                                   : places == std::size_t{1} << (count == 0 ? LgFirstExceptions(sketch.lg_k) : lg_places % 64);
  if (bytes.size() % 4 != 0 || !fits) return CorruptHll("bad length of the exceptions");
  THIMBLE_ASSIGN_OR_RETURN(const std::vector<std::uint32_t> entries, ReadEntries(bytes, count));
  std::size_t open = 0;
  std::uint8_t* const registers = sketch.registers.data();
  for (std::size_t slot = 0, m = sketch.registers.size(); slot < m; ++slot) {
    const bool exception = registers[slot] == kException;
    registers[slot] = static_cast<std::uint8_t>(exception ? kOpen : registers[slot] + minimum);
    open += exception ? 1 : 0;
  }
  for (std::uint32_t entry : entries) {
    const std::size_t slot = AddressOf(entry);
    if (slot >= sketch.registers.size() || registers[slot] != kOpen) return CorruptHll("an exception without a register");
    if (ValueOf(entry) < minimum + kException) return CorruptHll("an exception that is none");
    registers[slot] = static_cast<std::uint8_t>(ValueOf(entry));
    --open;
  }
  return open == 0 ? absl::OkStatus() : CorruptHll("an exception is missing");
}

std::size_t RegisterBytes(unsigned register_bits, unsigned lg_k) {
  // HLL_6 carries a pad byte, so that a register is always read from two.
  return (std::size_t{1} << lg_k) * register_bits / 8 + (register_bits == 6 ? 1 : 0);
}

absl::Status ReadRegisters(std::span<const std::byte> bytes, HllFields& sketch) {
  const std::size_t size = RegisterBytes(sketch.register_bits, sketch.lg_k);
  if (bytes.size() < kRegisterStart + size) return CorruptHll("cut short");
  const std::size_t exceptions = Load<std::uint32_t>(bytes.data() + 36);
  const unsigned minimum = std::to_integer<unsigned>(bytes[6]);
  sketch.registers.resize(std::size_t{1} << sketch.lg_k);
  const auto unpack = sketch.register_bits == 4   ? &internal::UnpackRegisters<4>
                      : sketch.register_bits == 6 ? &internal::UnpackRegisters<6>
                                                  : &internal::UnpackRegisters<8>;
  const unsigned highest = unpack(bytes.data() + kRegisterStart, sketch.registers);
  const std::span<const std::byte> rest = bytes.subspan(kRegisterStart + size);
  if (sketch.register_bits == 4) {
    if (minimum > HllFields::kMaxValue) return CorruptHll("the minimum is out of range");
    THIMBLE_RETURN_IF_ERROR(ReadExceptions(rest, exceptions, std::to_integer<unsigned>(bytes[4]), minimum, sketch));
  } else if (!rest.empty() || exceptions != 0 || minimum != 0) {
    return CorruptHll("exceptions in a sketch that has none");
  }
  // A nibble that is no exception is below 15.
  const unsigned above = sketch.register_bits == 4 ? minimum + std::min(highest, kException - 1) : highest;
  if (above > HllFields::kMaxValue) return CorruptHll("a register is out of range");
  // The sums and the count of minimal registers follow from the registers, and some releases left them stale.
  if (!sketch.out_of_order) {
    sketch.hip_estimate = Load<double>(bytes.data() + 8);
    if (!std::isfinite(sketch.hip_estimate) || sketch.hip_estimate < 0) return CorruptHll("the stored estimate is no number");
  }
  return absl::OkStatus();
}

std::vector<std::byte> Preamble(const HllFields& sketch, std::size_t size, unsigned ints, unsigned mode) {
  std::vector<std::byte> bytes(size);
  bytes[0] = static_cast<std::byte>(ints);
  bytes[1] = std::byte{1};
  bytes[2] = static_cast<std::byte>(kHllFamily);
  bytes[3] = static_cast<std::byte>(sketch.lg_k);
  const bool empty = sketch.coupons.empty() && std::all_of(sketch.registers.begin(), sketch.registers.end(), [](auto v) { return v == 0; });
  bytes[5] = static_cast<std::byte>((empty ? kHllIsEmpty : 0) | (sketch.compact ? kHllIsCompact : 0) | (sketch.out_of_order ? kOutOfOrder : 0) |
                                    (sketch.full_size ? kFullSize : 0));
  bytes[7] = static_cast<std::byte>(mode | (sketch.register_bits / 2 - 2) << 2);
  return bytes;
}

void StoreInts(std::byte* to, const std::vector<std::uint32_t>& ints, bool compact) {
  for (std::uint32_t entry : ints) {
    if (compact && entry == 0) continue;
    Store(to, entry);
    to += 4;
  }
}

std::vector<std::byte> WriteList(const HllFields& sketch) {
  const std::size_t places = sketch.compact ? sketch.coupons.size() : std::size_t{1} << kLgList;
  std::vector<std::byte> bytes = Preamble(sketch, kListStart + places * 4, 2, kListMode);
  bytes[4] = static_cast<std::byte>(kLgList);
  bytes[6] = static_cast<std::byte>(sketch.coupons.size());
  StoreInts(bytes.data() + kListStart, sketch.coupons, true);
  return bytes;
}

std::vector<std::byte> WriteSet(const HllFields& sketch) {
  IntTable table(kLgFirstSet);
  for (std::uint32_t coupon : sketch.coupons) table.Add(coupon);
  const std::size_t places = sketch.compact ? table.count() : table.entries().size();
  std::vector<std::byte> bytes = Preamble(sketch, kSetStart + places * 4, 3, kSetMode);
  bytes[4] = static_cast<std::byte>(table.lg_size());
  Store(bytes.data() + 8, static_cast<std::uint32_t>(table.count()));
  StoreInts(bytes.data() + kSetStart, table.entries(), sketch.compact);
  return bytes;
}

std::vector<std::byte> WriteRegisters(const HllFields& sketch) {
  const bool nibbles = sketch.register_bits == 4;
  const unsigned minimum = nibbles ? *std::min_element(sketch.registers.begin(), sketch.registers.end()) : 0;
  double sums[2] = {0, 0};
  for (std::uint8_t value : sketch.registers) sums[value < 32 ? 0 : 1] += std::ldexp(1.0, -value);

  IntTable exceptions(LgFirstExceptions(sketch.lg_k));
  if (nibbles) {
    for (std::size_t slot = 0; slot < sketch.registers.size(); ++slot) {
      const unsigned value = sketch.registers[slot];
      if (value >= minimum + kException) exceptions.Add(Entry(value, static_cast<std::uint32_t>(slot)));
    }
  }
  const std::size_t size = RegisterBytes(sketch.register_bits, sketch.lg_k);
  const std::size_t places = !nibbles ? 0 : sketch.compact ? exceptions.count() : exceptions.entries().size();
  std::vector<std::byte> bytes = Preamble(sketch, kRegisterStart + size + places * 4, 10, kHllMode);
  if (exceptions.count() > 0) bytes[4] = static_cast<std::byte>(exceptions.lg_size());
  bytes[6] = static_cast<std::byte>(minimum);
  Store(bytes.data() + 8, sketch.out_of_order ? 0.0 : sketch.hip_estimate);
  Store(bytes.data() + 16, sums[0]);
  Store(bytes.data() + 24, sums[1]);
  Store(bytes.data() + 32, static_cast<std::uint32_t>(std::count(sketch.registers.begin(), sketch.registers.end(), minimum)));
  Store(bytes.data() + 36, static_cast<std::uint32_t>(exceptions.count()));
  std::vector<std::uint8_t> stored = sketch.registers;
  for (std::uint8_t& value : stored) value = static_cast<std::uint8_t>(std::min(value - minimum, nibbles ? kException : HllFields::kMaxValue));
  const auto pack = sketch.register_bits == 4   ? &internal::PackRegisters<4>
                    : sketch.register_bits == 6 ? &internal::PackRegisters<6>
                                                : &internal::PackRegisters<8>;
  pack(stored, bytes.data() + kRegisterStart);
  if (nibbles) StoreInts(bytes.data() + kRegisterStart + size, exceptions.entries(), sketch.compact);
  return bytes;
}

}  // namespace

absl::StatusOr<HllFields> ParseHll(std::span<const std::byte> bytes) {
  if (bytes.size() < 8) return CorruptHll("cut short");
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
  if (byte(2) != kHllFamily) return absl::FailedPreconditionError("no HLL sketch: another family");
  if (byte(1) != 1) return absl::UnimplementedError("HLL sketch: unknown serial version");
  HllFields sketch;
  sketch.lg_k = byte(3);
  if (sketch.lg_k < HllFields::kMinLgK || sketch.lg_k > HllFields::kMaxLgK) return CorruptHll("lg_k is out of range");
  const unsigned mode = byte(7) & 3, width = byte(7) >> 2;
  if (mode > kHllMode || width > 2) return CorruptHll("unknown mode");
  if (byte(0) != (mode == kListMode ? 2u : mode == kSetMode ? 3u : 10u)) return CorruptHll("the preamble does not fit the mode");
  sketch.register_bits = 4 + 2 * width;
  sketch.compact = (byte(5) & kHllIsCompact) != 0;
  sketch.out_of_order = (byte(5) & kOutOfOrder) != 0;
  sketch.full_size = (byte(5) & kFullSize) != 0;
  THIMBLE_RETURN_IF_ERROR(mode == kListMode  ? ReadList(bytes, sketch)
                          : mode == kSetMode ? ReadSet(bytes, sketch)
                                             : ReadRegisters(bytes, sketch));
  return sketch;
}

std::vector<std::byte> SerializeHll(const HllFields& sketch) {
  if (!sketch.registers.empty()) return WriteRegisters(sketch);
  return sketch.coupons.size() < (1u << kLgList) ? WriteList(sketch) : WriteSet(sketch);
}

}  // namespace thimble
