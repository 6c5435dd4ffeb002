#pragma once

// For functions that must be part of their callers: small ones in loops that are compiled for more than one instruction set.
#define THIMBLE_INLINE inline __attribute__((always_inline))

// For the portable twin of a kernel, where one of the two is chosen at every call: inlined there, it would have registers saved that
// the kernel does without.
#define THIMBLE_NOINLINE __attribute__((noinline))
