#pragma once

#include <signal.h>

namespace thimble::tools {

// Keeps the interrupts of the terminal away while the file is written, so that none leaves a half of it.
class InterruptsBlocked {
 public:
  InterruptsBlocked() {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&interrupts, signal);
    sigprocmask(SIG_BLOCK, &interrupts, &before_);
  }
  ~InterruptsBlocked() { Lift(); }
  void Lift() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  InterruptsBlocked(const InterruptsBlocked&) = delete;
  InterruptsBlocked& operator=(const InterruptsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace thimble::tools
