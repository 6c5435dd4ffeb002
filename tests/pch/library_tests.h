// What most test files include, compiled once.
#include "../testing.h"

#include <absl/status/statusor.h>

#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
