#include "thimble/pcsa.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "hll_rule.h"
#include "likelihood.h"
#include "pcsa_reader.h"
#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {
namespace {

using internal::kPcsaHeaderBytes;
using internal::kPcsaWindow;
using internal::Likelihood;
using internal::PcsaParameters;
using internal::PcsaReader;

absl::Status CheckOptions(const Pcsa::Options& options) {
  if (options.precision < PcsaView::kMinPrecision || options.precision > PcsaView::kMaxPrecision) {
    return absl::InvalidArgumentError("the precision of a Pcsa is 4 to 21, not " + std::to_string(options.precision));
  }
  if (options.hash_scheme == HashScheme::kNone || options.hash_scheme > HashScheme::kXxh64) {
    return absl::InvalidArgumentError("Pcsa: unknown hash scheme");
  }
  return absl::OkStatus();
}

void WriteHeader(const PcsaView& like, std::span<std::byte> image, std::uint64_t parameter) {
  ImageHeader{.kind = PcsaView::kKind,
              .hash_scheme = like.hash_scheme(),
              .image_bytes = image.size(),
              .used_bytes = image.size(),
              .seed = like.seed(),
              .parameters = {like.precision() | 1u << 8, parameter}}
      .Write(image);
}

// Of independent bits, column j of probability 2^-(j + 1) a key; the last column has the probability of the one before.
Likelihood LikelihoodOf(const PcsaView& a, const PcsaView* b) {
  PcsaReader reader(a, b);
  std::array<std::uint64_t, 64> ones{};
  for (std::size_t i = 0; i < a.row_count(); ++i) {
    const std::uint64_t row = reader.Next();
    for (unsigned j = 0; j < 64; ++j) ones[j] += row >> j & 1;
  }
  Likelihood likelihood;
  const unsigned last = 64 - a.precision();
  for (unsigned j = 0; j <= last; ++j) {
    const unsigned exponent = std::min(j + 1, last);
    likelihood.seen[exponent] += static_cast<double>(ones[j]);
    likelihood.unseen += std::ldexp(static_cast<double>(a.row_count() - ones[j]), -static_cast<int>(exponent));
  }
  return likelihood;
}

// Registers are read more than once, and rows of a live sketch may change in between: they are copied first.
class PcsaSnapshot {
 public:
  explicit PcsaSnapshot(const PcsaView& view)
      : copy_(view.compressed() ? Buffer() : Buffer::Copy(view.image())),
        view_(view.compressed() ? view : *PcsaView::Open(copy_.bytes())) {}
  const PcsaView& view() const { return view_; }

 private:
  Buffer copy_;
  PcsaView view_;
};

// The window whose first column is set in all but a few rows: there the load is 5.5 to 11 keys.
unsigned WindowFor(double load) {
  if (!(load > 11)) return 0;
  return std::min(static_cast<unsigned>(std::log2(load / 5.5)) - 1, 64 - kPcsaWindow);
}

}  // namespace

absl::StatusOr<PcsaView> PcsaView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::Read(image, kKind));
  PcsaView view;
  view.precision_ = static_cast<std::uint8_t>(header.parameters[0]);
  view.compressed_ = header.parameters[0] >> 8 == 1;
  view.parameter_ = header.parameters[1];
  view.hash_scheme_ = header.hash_scheme;
  view.seed_ = header.seed;
  const Pcsa::Options options = {.precision = view.precision_, .hash_scheme = view.hash_scheme_};
  if (header.header_bytes != kPcsaHeaderBytes || header.parameters[0] >> 9 != 0 || !CheckOptions(options).ok()) {
    return absl::DataLossError("Pcsa: bad parameters");
  }
  if (view.compressed_) {
    const PcsaParameters parameters = PcsaParameters::Unpack(view.parameter_);
    ImageLayout layout(kPcsaHeaderBytes);
    layout.Add(parameters.exceptions, 32);
    if (parameters.window > 64 - kPcsaWindow || header.image_bytes < layout.image_bytes()) {
      return absl::DataLossError("Pcsa: bad image length");
    }
  } else if (header.image_bytes != Pcsa::ImageBytes(options)) {
    return absl::DataLossError("Pcsa: bad image length");
  }
  view.image_ = image.first(header.image_bytes);
  return view;
}

absl::Status PcsaView::Verify() const {
  if (compressed_) {
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < PcsaParameters::Unpack(parameter_).exceptions; ++i) {
      const auto exception = Load<std::uint32_t>(&image_[kPcsaHeaderBytes + 4 * i]);
      if (exception < next || exception >> 6 >= row_count()) return absl::DataLossError("Pcsa: exceptions out of order");
      next = std::uint64_t{exception} + 1;
    }
  }
  PcsaReader reader(*this);
  for (std::size_t i = 0; i < row_count(); ++i) {
    if ((reader.Next() & ~LowBits(65 - precision_)) != 0) return absl::DataLossError("Pcsa: a column that no hash reaches");
  }
  return absl::OkStatus();
}

double PcsaView::Estimate() const {
  const auto m = static_cast<double>(row_count());
  return m * internal::MaximumLikelihoodLoad(LikelihoodOf(*this, nullptr)) / (1 + internal::LikelihoodTheoryOf(0, 64).bias / m);
}

double PcsaView::StandardError() const {
  return internal::LikelihoodTheoryOf(0, 64).deviation / std::sqrt(static_cast<double>(row_count()));
}

double PcsaView::LowerBound(double sigmas) const { return Estimate() / (1 + sigmas * StandardError()); }

double PcsaView::UpperBound(double sigmas) const {
  const double share = 1 - sigmas * StandardError();
  return share > 0 ? Estimate() / share : std::numeric_limits<double>::infinity();
}

absl::Status PcsaView::CheckCompatible(const PcsaView& other) const {
  THIMBLE_RETURN_IF_ERROR(internal::CheckSameHash(*this, other));
  if (precision_ != other.precision_) return absl::InvalidArgumentError("the sketches have different numbers of rows");
  return absl::OkStatus();
}

CompressedPcsa PcsaView::Compressed() const { return CompressedPcsa::Write(PcsaSnapshot(*this).view(), nullptr); }

Pcsa::Pcsa(const Options& options) : Pcsa(*Make(options)) {}

std::uint64_t Pcsa::ImageBytes(const Options& options) {
  ImageLayout layout(kPcsaHeaderBytes);
  layout.Add(std::uint64_t{1} << options.precision, 64);
  return layout.image_bytes();
}

absl::StatusOr<Pcsa> Pcsa::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<Pcsa> Pcsa::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options));
  const std::uint64_t image_bytes = ImageBytes(options);
  if (buffer.size() < image_bytes) return absl::InvalidArgumentError("Pcsa: the buffer is too small");
  ImageHeader{.kind = kKind,
              .hash_scheme = options.hash_scheme,
              .image_bytes = image_bytes,
              .used_bytes = image_bytes,
              .seed = options.seed,
              .parameters = {options.precision}}
      .Write(buffer.bytes());
  THIMBLE_ASSIGN_OR_RETURN(const PcsaView view, ViewOf(buffer));
  return Pcsa(view, std::move(buffer));
}

absl::StatusOr<Pcsa> Pcsa::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const PcsaView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  if (view.compressed()) return absl::InvalidArgumentError("Pcsa: a compressed sketch is not added to");
  return Pcsa(view, std::move(buffer));
}

void Pcsa::AddHash(std::uint64_t hash) {
  const internal::Touch touch = internal::Place(RegisterRule::kThimble, precision(), {hash, 0});
  std::byte* const row = data() + kPcsaHeaderBytes + std::size_t{touch.index} * 8;
  Store(row, Load<std::uint64_t>(row) | std::uint64_t{1} << (touch.rank - 1));
}

void Pcsa::Add(std::string_view key) { AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1); }
void Pcsa::AddInteger(std::uint64_t key) { AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1); }

absl::Status Pcsa::Merge(const PcsaView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckCompatible(other));
  PcsaReader reader(other);
  std::byte* const rows = data() + kPcsaHeaderBytes;
  for (std::size_t i = 0; i < row_count(); ++i) Store(rows + 8 * i, Load<std::uint64_t>(rows + 8 * i) | reader.Next());
  return absl::OkStatus();
}

absl::StatusOr<CompressedPcsa> CompressedPcsa::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const PcsaView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  if (!view.compressed()) return absl::InvalidArgumentError("Pcsa: the sketch is not compressed");
  return CompressedPcsa(view, std::move(buffer));
}

absl::StatusOr<CompressedPcsa> CompressedPcsa::Union(const PcsaView& a, const PcsaView& b) {
  THIMBLE_RETURN_IF_ERROR(a.CheckCompatible(b));
  const PcsaSnapshot still_a(a), still_b(b);
  return Write(still_a.view(), &still_b.view());
}

CompressedPcsa CompressedPcsa::Write(const PcsaView& a, const PcsaView* b) {
  const double keys = std::min(internal::MaximumLikelihoodLoad(LikelihoodOf(a, b)), 0x1p60);
  const internal::LoadModel load(keys);
  const unsigned window = WindowFor(keys);
  const internal::ColumnsModel low(load, window), high(load, window + 8);
  const std::uint64_t coded = LowBits(kPcsaWindow) << window;
  internal::RangeEncoder encoder;
  std::vector<std::uint32_t> exceptions;
  PcsaReader reader(a, b);
  for (std::uint32_t i = 0; i < a.row_count(); ++i) {
    const std::uint64_t row = reader.Next();
    const auto low_columns = static_cast<unsigned>(row >> window & 0xff), high_columns = static_cast<unsigned>(row >> (window + 8) & 0xff);
    encoder.Encode(low.Start(low_columns), low.Frequency(low_columns));
    encoder.Encode(high.Start(high_columns), high.Frequency(high_columns));
    for (std::uint64_t odd = (row ^ LowBits(window)) & ~coded; odd != 0; odd &= odd - 1) {
      exceptions.push_back(i << 6 | static_cast<std::uint32_t>(std::countr_zero(odd)));
    }
  }
  const std::vector<std::byte> stream = encoder.Finish();
  const std::size_t stream_at = kPcsaHeaderBytes + 4 * exceptions.size();
  Buffer buffer = Buffer::Heap(RoundUp(stream_at + stream.size() + kImageSlack, 8));
  const PcsaParameters parameters = {.exceptions = static_cast<std::uint32_t>(exceptions.size()),
                                     .window = static_cast<std::uint8_t>(window),
                                     .exponent = load.exponent(),
                                     .mantissa = load.mantissa()};
  WriteHeader(a, buffer.bytes(), parameters.Pack());
  if (!exceptions.empty()) std::memcpy(buffer.data() + kPcsaHeaderBytes, exceptions.data(), 4 * exceptions.size());
  std::copy(stream.begin(), stream.end(), buffer.data() + stream_at);
  const PcsaView view = *ViewOf(buffer);
  return CompressedPcsa(view, std::move(buffer));
}

}  // namespace thimble
