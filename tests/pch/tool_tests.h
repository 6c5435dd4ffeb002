// What most tests of the tools include, compiled once.
#include "../testing.h"

#include <map>
#include <set>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <nlohmann/json.hpp>
