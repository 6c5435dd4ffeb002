#include "thimble/kmv_map.h"

#include <cmath>
#include <vector>

#include "scheme_hash.h"
#include "status_macros.h"

namespace thimble {
namespace {

constexpr unsigned kMapColumns = 5;  // hashes, counts, sums, least and greatest values

KeySummary Combine(const KeySummary& a, const KeySummary& b) {
  const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(a.sum) + static_cast<std::uint64_t>(b.sum));
  return {a.count + b.count, sum, std::min(a.min, b.min), std::max(a.max, b.max)};
}

// A total over a sample in which every key is with probability `rate`: Horvitz and Thompson's estimate and its deviation.
template <class Weight>
Interval Total(std::size_t size, double rate, double sigmas, Weight weight) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double w = weight(i);
    sum += w;
    squares += w * w;
  }
  const double reach = sigmas * std::sqrt(squares * (1 - rate)) / rate;
  return {sum / rate, sum / rate - reach, sum / rate + reach};
}

}  // namespace

absl::StatusOr<KmvMapView> KmvMapView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const KmvSample sample, ReadImage(image, kKind, kMapColumns));
  return KmvMapView(sample);
}

absl::Status KmvMapView::Verify() const {
  for (std::size_t i = 0; i < size_; ++i) {
    const KeySummary summary = Summary(i);
    if (summary.count == 0 || summary.min > summary.max) return absl::DataLossError("KmvMap: an impossible summary");
  }
  return VerifyHashes();
}

KeySummary KmvMapView::Summary(std::size_t i) const {
  const auto word = [&](unsigned column) { return Load<std::uint64_t>(&image_[kColumnsAt + 8 * (column * k_ + i)]); };
  return {word(1), static_cast<std::int64_t>(word(2)), static_cast<std::int64_t>(word(3)), static_cast<std::int64_t>(word(4))};
}

std::optional<KeySummary> KmvMapView::FindHash(std::uint64_t hash) const {
  const std::size_t place = CountBelow(Shorten(hash));
  if (place >= size_ || hashes()[place] != Shorten(hash)) return std::nullopt;
  return Summary(place);
}

std::optional<KeySummary> KmvMapView::Find(std::string_view key) const {
  return FindHash(internal::SchemeHash(hash_scheme_, seed_, key).h1);
}

std::optional<KeySummary> KmvMapView::Find(std::uint64_t key) const {
  return FindHash(internal::SchemeHash(hash_scheme_, seed_, key).h1);
}

Interval KmvMapView::Keys(double sigmas) const {
  return Total(size_, sampling_rate(), sigmas, [](std::size_t) { return 1.0; });
}

Interval KmvMapView::Count(double sigmas) const {
  return Total(size_, sampling_rate(), sigmas, [&](std::size_t i) { return static_cast<double>(Summary(i).count); });
}

Interval KmvMapView::Sum(double sigmas) const {
  return Total(size_, sampling_rate(), sigmas, [&](std::size_t i) { return static_cast<double>(Summary(i).sum); });
}

KmvMap::KmvMap(const Options& options) : KmvMap(*Make(options)) {}

std::uint64_t KmvMap::ImageBytes(const Options& options) { return BytesOf(options.k, kMapColumns); }

absl::StatusOr<KmvMap> KmvMap::Make(const Options& options) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options.k, options.hash_scheme));
  return Make(options, Buffer::Heap(ImageBytes(options)));
}

absl::StatusOr<KmvMap> KmvMap::Make(const Options& options, Buffer buffer) {
  THIMBLE_RETURN_IF_ERROR(CheckOptions(options.k, options.hash_scheme));
  THIMBLE_RETURN_IF_ERROR(WriteImage(buffer, kKind, kMapColumns, options.k, kMaxTheta, options.hash_scheme, options.seed));
  THIMBLE_ASSIGN_OR_RETURN(const KmvMapView view, ViewOf(buffer));
  return KmvMap(view, std::move(buffer));
}

absl::StatusOr<KmvMap> KmvMap::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(const KmvMapView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  return KmvMap(view, std::move(buffer));
}

std::uint64_t* KmvMap::column(unsigned which) {
  return reinterpret_cast<std::uint64_t*>(data() + kColumnsAt) + which * k();
}

// Requires: hash < theta().
void KmvMap::Put(std::uint64_t hash, const KeySummary& summary) {
  const std::size_t place = CountBelow(hash);
  const bool known = place < size() && hashes()[place] == hash;
  const KeySummary combined = known ? Combine(Summary(place), summary) : summary;
  if (!known && size() == k()) {
    // The largest hash of k + 1 is the new theta, and may be this one.
    if (place == k()) return SetSizeAndTheta(data(), k(), hash);
    SetSizeAndTheta(data(), k() - 1, hashes()[k() - 1]);
  }
  const std::uint64_t words[kMapColumns] = {hash, combined.count, static_cast<std::uint64_t>(combined.sum),
                                         static_cast<std::uint64_t>(combined.min), static_cast<std::uint64_t>(combined.max)};
  for (unsigned which = 0; which < kMapColumns; ++which) {
    std::uint64_t* const at = column(which);
    if (!known) std::copy_backward(at + place, at + size(), at + size() + 1);
    at[place] = words[which];
  }
  if (!known) SetSizeAndTheta(data(), size() + 1, theta());
}

void KmvMap::Add(std::string_view key, std::int64_t value) {
  AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1, value);
}

void KmvMap::AddInteger(std::uint64_t key, std::int64_t value) {
  AddHash(internal::SchemeHash(hash_scheme(), seed(), key).h1, value);
}

absl::Status KmvMap::Merge(const KmvMapView& other) {
  THIMBLE_RETURN_IF_ERROR(CheckCompatible(other));
  const std::uint64_t common = std::min(theta(), other.theta());
  std::vector<std::uint64_t> merged;
  std::vector<KeySummary> summaries;
  const std::span<const std::uint64_t> a = hashes(), b = other.hashes();
  std::uint64_t new_theta = common;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const std::uint64_t hash = std::min(i < a.size() ? a[i] : kMaxTheta, j < b.size() ? b[j] : kMaxTheta);
    if (hash >= common) break;
    if (merged.size() == k()) {
      new_theta = hash;
      break;
    }
    const bool in_a = i < a.size() && a[i] == hash, in_b = j < b.size() && b[j] == hash;
    merged.push_back(hash);
    summaries.push_back(in_a && in_b ? Combine(Summary(i), other.Summary(j)) : in_a ? Summary(i) : other.Summary(j));
    i += in_a;
    j += in_b;
  }
  // What was above becomes zero, so that equal maps are equal bytes.
  for (unsigned which = 0; which < kMapColumns; ++which) std::fill(column(which), column(which) + size(), 0);
  for (std::size_t i = 0; i < merged.size(); ++i) {
    column(0)[i] = merged[i];
    column(1)[i] = summaries[i].count;
    column(2)[i] = static_cast<std::uint64_t>(summaries[i].sum);
    column(3)[i] = static_cast<std::uint64_t>(summaries[i].min);
    column(4)[i] = static_cast<std::uint64_t>(summaries[i].max);
  }
  SetSizeAndTheta(data(), merged.size(), new_theta);
  return absl::OkStatus();
}

Stats KmvMap::stats() const {
  const std::uint64_t slack = (k() - size()) * kMapColumns * 8;
  return {.live_bytes = image().size() - slack, .slack_bytes = slack, .peak_bytes = image().size()};
}

}  // namespace thimble
