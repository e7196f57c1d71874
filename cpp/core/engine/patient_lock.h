// patient_lock.h: a lock whose waiting the program may arrange: one that has another lock to let go of meanwhile, as Python
// has, sets how.
#pragma once

#include "core/base/lock.h"

namespace watchtree::core {

// How a thread waits for a lock that another has. It must return with the lock held.
using WaitForLock = void (*)(Lock&);
void set_wait_for_lock(WaitForLock wait) noexcept;

class PatientLock {
  public:
    void lock() {
        if (!lock_.try_lock()) wait();
    }
    void unlock() noexcept { lock_.unlock(); }

  private:
    void wait();

    Lock lock_;
};

}  // namespace watchtree::core
