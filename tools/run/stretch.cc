#include "run/stretch.h"

#include <algorithm>
#include <iterator>

namespace thimble::tools {

std::vector<Stretch> StretchesOf(const Recording& recording) {
  std::vector<Stretch> stretches{{"start", 0, recording.seconds, {}, {}}};
  for (const MarkedMoment& mark : recording.marks) {
    stretches.back().to = mark.seconds;
    stretches.push_back({mark.name, mark.seconds, recording.seconds, {}, {}});
  }
  for (const Sample& sample : recording.samples) {
    const auto after = std::find_if(stretches.begin(), stretches.end(), [&](const Stretch& s) { return s.from > sample.seconds; });
    Stretch& stretch = *std::prev(after);
    stretch.last = sample.memory;
    stretch.peak.pss_bytes = std::max(stretch.peak.pss_bytes, sample.memory.pss_bytes);
    stretch.peak.rss_bytes = std::max(stretch.peak.rss_bytes, sample.memory.rss_bytes);
    stretch.peak.processes = std::max(stretch.peak.processes, sample.memory.processes);
  }
  return stretches;
}

}  // namespace thimble::tools
