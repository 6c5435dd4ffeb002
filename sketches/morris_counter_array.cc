#include "thimble/morris_counter_array.h"

#include <atomic>
#include <bit>
#include <string>
#include <type_traits>

#include "status_macros.h"

namespace thimble {
namespace {

constexpr std::size_t kHeaderBytes = 128;
constexpr std::uint64_t kMaxCounters = std::uint64_t{1} << 48;

// A counter lies in the 32 bits from its first byte on: 16 and a shift of 7.
struct Place {
  std::size_t byte;
  unsigned shift;
};

Place PlaceOf(std::size_t i, unsigned width) {
  const std::uint64_t bit = std::uint64_t{i} * width;
  return {kHeaderBytes + bit / 8, static_cast<unsigned>(bit % 8)};
}

absl::Status CheckBuffer(const MorrisCounterArray::Options& options, const Buffer& buffer) {
  if (buffer.size() >= MorrisCounterArray::ImageBytes(options)) return absl::OkStatus();
  return absl::InvalidArgumentError("MorrisCounterArray: the buffer is too small");
}

void WriteImage(const MorrisCounterArray::Options& options, const Buffer& buffer) {
  const std::uint64_t image_bytes = MorrisCounterArray::ImageBytes(options);
  ImageHeader{.kind = MorrisCounterArrayView::kKind,
              .header_bytes = kHeaderBytes,
              .image_bytes = image_bytes,
              .used_bytes = image_bytes,
              .seed = options.seed,
              .parameters = {options.counters, options.scale.width(), options.scale.exact(),
                             std::bit_cast<std::uint64_t>(options.scale.base())}}
      .Write(buffer.bytes());
}

absl::Status CheckCounters(const MorrisCounterArray::Options& options) {
  if (options.counters <= kMaxCounters) return absl::OkStatus();
  return absl::InvalidArgumentError("MorrisCounterArray: more than 2^48 counters");
}

absl::Status CheckWidth(unsigned width) {
  if (width == 2 || width == 4 || width == 8 || width == 16) return absl::OkStatus();
  return absl::InvalidArgumentError("threads share counters of 2, 4, 8 or 16 bits, not of " + std::to_string(width));
}

}  // namespace

absl::StatusOr<MorrisCounterArrayView> MorrisCounterArrayView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  const std::uint64_t width = header.parameters[1], exact = header.parameters[2];
  if (header.header_bytes != kHeaderBytes || header.parameters[0] > kMaxCounters || width > 16 || exact >= 1 << 16) {
    return absl::DataLossError("MorrisCounterArray: bad parameters");
  }
  const absl::StatusOr<MorrisScale> scale = MorrisScale::Make(
      static_cast<unsigned>(width), std::bit_cast<double>(header.parameters[3]), static_cast<unsigned>(exact));
  if (!scale.ok()) return absl::DataLossError("MorrisCounterArray: bad scale");
  const MorrisCounterArray::Options options = {.counters = header.parameters[0], .scale = *scale};
  if (header.image_bytes != MorrisCounterArray::ImageBytes(options)) {
    return absl::DataLossError("MorrisCounterArray: bad image length");
  }
  MorrisCounterArrayView view(*scale);
  view.size_ = options.counters;
  view.seed_ = header.seed;
  view.image_ = image.first(header.image_bytes);
  return view;
}

absl::Status MorrisCounterArrayView::Verify() const {
  // Every state is right; the bits after the last counter are zero.
  const std::uint64_t bits = size_ * scale_.width();
  for (std::uint64_t bit = bits; bit < RoundUp(bits, 64); ++bit) {
    if ((image_[kHeaderBytes + bit / 8] >> (bit % 8) & std::byte{1}) != std::byte{0}) {
      return absl::DataLossError("MorrisCounterArray: bits after the last counter");
    }
  }
  return absl::OkStatus();
}

std::uint32_t MorrisCounterArrayView::State(std::size_t i) const {
  const Place place = PlaceOf(i, scale_.width());
  return Load<std::uint32_t>(&image_[place.byte]) >> place.shift & scale_.max_state();
}

MorrisCounterArray::MorrisCounterArray(const Options& options) : MorrisCounterArray(*Make(options)) {}

std::uint64_t MorrisCounterArray::ImageBytes(const Options& options) {
  ImageLayout layout(kHeaderBytes);
  layout.Add(options.counters, options.scale.width());
  return layout.image_bytes();
}

absl::StatusOr<MorrisCounterArray> MorrisCounterArray::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckCounters(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<MorrisCounterArray> MorrisCounterArray::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckCounters(options));
  THIMBLE_RETURN_IF_ERROR(CheckBuffer(options, buffer));
  WriteImage(options, buffer);
  THIMBLE_ASSIGN_OR_RETURN(const MorrisCounterArrayView view, ViewOf(buffer));
  return MorrisCounterArray(view, std::move(buffer), options.seed);
}

absl::StatusOr<MorrisCounterArray> MorrisCounterArray::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const MorrisCounterArrayView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  // Random steps that depend on what was counted before: not those that led here, over again.
  const std::uint64_t random_seed = Hash64(view.image(), view.seed());
  return MorrisCounterArray(view, std::move(buffer), random_seed);
}

void MorrisCounterArray::Put(std::size_t i, std::uint32_t state) {
  const Place place = PlaceOf(i, scale().width());
  std::byte* const at = data() + place.byte;
  const std::uint32_t others = Load<std::uint32_t>(at) & ~(scale().max_state() << place.shift);
  Store(at, others | state << place.shift);
}

void MorrisCounterArray::IncrementMany(std::span<const std::uint64_t> indices) {
  constexpr std::size_t kAhead = 16;
  const unsigned width = scale().width();
  for (std::size_t n = 0; n < indices.size(); ++n) {
    if (n + kAhead < indices.size()) __builtin_prefetch(data() + PlaceOf(indices[n + kAhead], width).byte, 1);
    Increment(indices[n]);
  }
}

absl::Status MorrisCounterArray::Merge(const MorrisCounterArrayView& other) {
  const MorrisScale &ours = scale(), &theirs = other.scale();
  if (ours.width() != theirs.width() || ours.base() != theirs.base() || ours.exact() != theirs.exact() || size() != other.size()) {
    return absl::InvalidArgumentError("the arrays count on different scales, or different numbers of things");
  }
  for (std::size_t i = 0; i < size(); ++i) Put(i, MorrisMerge(ours, State(i), other.State(i), random_));
  return absl::OkStatus();
}

ConcurrentMorrisCounterArray::ConcurrentMorrisCounterArray(const Options& options) : ConcurrentMorrisCounterArray(*Make(options)) {}

absl::StatusOr<ConcurrentMorrisCounterArray> ConcurrentMorrisCounterArray::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckCounters(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<ConcurrentMorrisCounterArray> ConcurrentMorrisCounterArray::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckCounters(options));
  THIMBLE_RETURN_IF_ERROR(CheckWidth(options.scale.width()));
  THIMBLE_RETURN_IF_ERROR(CheckBuffer(options, buffer));
  WriteImage(options, buffer);
  THIMBLE_ASSIGN_OR_RETURN(const MorrisCounterArrayView view, ViewOf(buffer));
  return ConcurrentMorrisCounterArray(view, std::move(buffer));
}

absl::StatusOr<ConcurrentMorrisCounterArray> ConcurrentMorrisCounterArray::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const MorrisCounterArrayView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(CheckWidth(view.scale().width()));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return ConcurrentMorrisCounterArray(view, std::move(buffer));
}

void ConcurrentMorrisCounterArray::Increment(std::size_t i) {
  static std::atomic<std::uint64_t> threads{0};
  thread_local MorrisRandom random(seed() + 0x100000001b3u * threads.fetch_add(1, std::memory_order_relaxed));
  const std::uint64_t step = random();
  const Place place = PlaceOf(i, scale().width());
  const auto raise = [&](auto* at) {
    auto seen = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (true) {
      const std::uint32_t state = seen >> place.shift & scale().max_state();
      const std::uint32_t next = scale().Next(state, step);
      if (next == state) return;
      const auto changed = static_cast<std::remove_pointer_t<decltype(at)>>(seen + (1u << place.shift));
      if (__atomic_compare_exchange_n(at, &seen, changed, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
    }
  };
  if (scale().width() == 16) {
    raise(reinterpret_cast<std::uint16_t*>(data() + place.byte));
  } else {
    raise(reinterpret_cast<std::uint8_t*>(data() + place.byte));
  }
}

}  // namespace thimble
