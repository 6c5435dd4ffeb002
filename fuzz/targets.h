#pragma once

#include <cstddef>
#include <span>

namespace thimble::fuzz {

// A target takes any bytes. Whatever they are, it must come back; a sanitizer or a trap says what went wrong.
using Bytes = std::span<const std::byte>;

void FuzzHll(Bytes bytes);
void FuzzTheta(Bytes bytes);
void FuzzRedisHll(Bytes bytes);
void FuzzPostgresHll(Bytes bytes);
void FuzzRecordReader(Bytes bytes);
void FuzzStore(Bytes bytes);

}  // namespace thimble::fuzz
