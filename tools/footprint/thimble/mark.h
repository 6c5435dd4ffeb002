#pragma once

#include <string_view>

namespace thimble {

// Names this moment in the report of `thimble run`, under which the process runs; otherwise does nothing. A shell does the
// same with `echo loaded > "$THIMBLE_MARKS"`.
//
//   Mark("loaded");
//
// Time     a few microseconds: one write to a named pipe, which never blocks
// Threads  may be called in any
void Mark(std::string_view name);

}  // namespace thimble
