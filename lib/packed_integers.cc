#include "thimble/packed_integers.h"

#include <algorithm>
#include <cstring>
#include <bit>
#include <cstdio>
#include <vector>

#include "status_macros.h"

namespace thimble {
namespace {

struct Candidate {
  Kind kind;
  std::uint64_t image_bytes;
};

PackPlan Choose(std::vector<Candidate> candidates, std::size_t size) {
  // Stable: of equal ones the first, which is the faster.
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.image_bytes < b.image_bytes; });
  PackPlan plan{.kind = candidates.front().kind, .image_bytes = candidates.front().image_bytes, .why = {}};
  for (const Candidate& candidate : candidates) {
    char bits[32];
    const double per_value = static_cast<double>(candidate.image_bytes) * 8 / static_cast<double>(std::max<std::size_t>(size, 1));
    std::snprintf(bits, sizeof bits, " %.2f", per_value);
    plan.why += plan.why.empty() ? "" : candidate.kind == candidates[1].kind ? "; " : ", ";
    plan.why += KindName(candidate.kind);
    plan.why += bits;
    if (candidate.kind == plan.kind) plan.why += " bits a value";
  }
  return plan;
}

std::span<const std::uint64_t> Unsigned(std::span<const std::int64_t> values) {
  return {reinterpret_cast<const std::uint64_t*>(values.data()), values.size()};
}

bool AnyNegative(std::span<const std::int64_t> values) {
  return std::any_of(values.begin(), values.end(), [](std::int64_t value) { return value < 0; });
}

template <class Vector>
absl::StatusOr<PackedIntegersView> Built(absl::StatusOr<Vector> built) {
  if (!built.ok()) return built.status();
  return PackedIntegersView::Open(built->image());
}

// The owners that build in place borrow the buffer, and leave the image in it.
absl::StatusOr<PackedIntegersView> Build(std::span<const std::uint64_t> values, Kind kind, const Buffer& buffer) {
  const auto borrowed = [&] { return Buffer::Borrow(buffer.bytes()); };
  if (kind == Kind::kFrameVector) return Built(FrameVector::Make(values, borrowed()));
  if (kind == Kind::kSkewedVector) return Built(SkewedVector::Make(values, borrowed()));
  if (kind == Kind::kEliasFano) {
    const EliasFano::Options options{.size = values.size(), .max = values.empty() ? 0 : values.back()};
    std::memset(buffer.data(), 0, std::min<std::uint64_t>(buffer.size(), EliasFano::ImageBytes(options)));
    EliasFano::Builder builder(options, borrowed());
    for (const std::uint64_t value : values) builder.Add(value);
    return Built(std::move(builder).Finish());
  }
  return Built(PackedVector::From(values, borrowed()));
}

}  // namespace

absl::StatusOr<PackedIntegersView> PackedIntegersView::Open(std::span<const std::byte> image) {
  THIMBLE_ASSIGN_OR_RETURN(const ImageHeader header, ImageHeader::ReadAny(image));
  const auto any = [](auto view) -> absl::StatusOr<PackedIntegersView> {
    if (!view.ok()) return view.status();
    return PackedIntegersView(Any(*std::move(view)));
  };
  switch (header.kind) {
    case Kind::kPackedVector: return any(PackedVectorView::Open(image));
    case Kind::kFrameVector: return any(FrameVectorView::Open(image));
    case Kind::kEliasFano: return any(EliasFanoView::Open(image));
    case Kind::kSkewedVector: return any(SkewedVectorView::Open(image));
    default: return absl::FailedPreconditionError("image holds no packed integers, but a " + std::string(KindName(header.kind)));
  }
}

absl::Status PackedIntegersView::Verify() const {
  return std::visit([](const auto& view) { return view.Verify(); }, view_);
}

std::span<const std::byte> PackedIntegersView::image() const {
  return std::visit([](const auto& view) { return view.image(); }, view_);
}

Kind PackedIntegersView::kind() const {
  return std::visit([](const auto& view) { return view.kKind; }, view_);
}

std::uint64_t PackedIntegersView::size() const {
  return std::visit([](const auto& view) { return view.size(); }, view_);
}

void PackedIntegersView::Decode(std::uint64_t first, std::span<std::uint64_t> out) const {
  std::visit([first, out](const auto& view) { view.Decode(first, out); }, view_);
}

PackPlan PackedIntegers::Plan(std::span<const std::uint64_t> values) {
  std::uint64_t all = 1;
  for (const std::uint64_t value : values) all |= value;
  std::vector<Candidate> candidates = {
      {Kind::kPackedVector, PackedVector::ImageBytes({.width = static_cast<unsigned>(std::bit_width(all)), .size = values.size()})},
      {Kind::kFrameVector, FrameVector::ImageBytes(values)},
      {Kind::kSkewedVector, SkewedVector::ImageBytes(values)}};
  if (std::is_sorted(values.begin(), values.end())) {
    candidates.push_back({Kind::kEliasFano, EliasFano::ImageBytes({.size = values.size(), .max = values.empty() ? 0 : values.back()})});
  }
  return Choose(std::move(candidates), values.size());
}

PackPlan PackedIntegers::Plan(std::span<const std::int64_t> values) {
  if (!AnyNegative(values)) return Plan(Unsigned(values));
  return Choose({{Kind::kFrameVector, FrameVector::ImageBytes(values)}}, values.size());
}

absl::StatusOr<PackedIntegers> PackedIntegers::Make(std::span<const std::uint64_t> values, PackPlan plan, Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(PackedIntegersView view, Build(values, plan.kind, buffer));
  return PackedIntegers(std::move(view), std::move(buffer), std::move(plan));
}

absl::StatusOr<PackedIntegers> PackedIntegers::Make(std::span<const std::int64_t> values, PackPlan plan, Buffer buffer) {
  if (!AnyNegative(values)) return Make(Unsigned(values), std::move(plan), std::move(buffer));
  THIMBLE_ASSIGN_OR_RETURN(PackedIntegersView view, Built(FrameVector::Make(values, Buffer::Borrow(buffer.bytes()))));
  return PackedIntegers(std::move(view), std::move(buffer), std::move(plan));
}

PackedIntegers PackedIntegers::Pack(std::span<const std::uint64_t> values) {
  PackPlan plan = Plan(values);
  Buffer buffer = Buffer::Heap(plan.image_bytes);
  return Make(values, std::move(plan), std::move(buffer)).value();
}

PackedIntegers PackedIntegers::Pack(std::span<const std::int64_t> values) {
  PackPlan plan = Plan(values);
  Buffer buffer = Buffer::Heap(plan.image_bytes);
  return Make(values, std::move(plan), std::move(buffer)).value();
}

absl::StatusOr<PackedIntegers> PackedIntegers::Open(Buffer buffer) {
  THIMBLE_ASSIGN_OR_RETURN(PackedIntegersView view, ViewOf(buffer));
  THIMBLE_RETURN_IF_ERROR(view.Verify());
  PackPlan plan{.kind = view.kind(), .image_bytes = view.image().size(), .why = {}};
  return PackedIntegers(std::move(view), std::move(buffer), std::move(plan));
}

}  // namespace thimble
