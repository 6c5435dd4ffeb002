#pragma once

// For functions that must be part of their callers: small ones in loops that are compiled for more than one instruction set.
#define THIMBLE_INLINE inline __attribute__((always_inline))
