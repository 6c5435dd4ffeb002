#include "scheme_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace thimble::internal {

Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::string_view key) {
  switch (scheme) {
    case HashScheme::kMurmur3: return Murmur3(key, seed);
    case HashScheme::kMurmur64A: return {Murmur64A(key, seed), 0};
    case HashScheme::kXxh64: return {XXH64(key.data(), key.size(), seed), 0};
    case HashScheme::kNone:
    case HashScheme::kThimble: break;
  }
  return {Hash64(key, seed), 0};
}

Hash128 SchemeHash(HashScheme scheme, std::uint64_t seed, std::uint64_t key) {
  if (scheme == HashScheme::kMurmur3) return Murmur3Integer(key, seed);
  if (scheme == HashScheme::kThimble) return {Hash64(key, seed), 0};
  return SchemeHash(scheme, seed, std::string_view(reinterpret_cast<const char*>(&key), sizeof key));
}

}  // namespace thimble::internal
