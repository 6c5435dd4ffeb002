// What costs most to read of what nearly every source includes, compiled once.
#include <absl/status/statusor.h>
