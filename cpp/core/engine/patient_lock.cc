#include "core/engine/patient_lock.h"

#include <atomic>

namespace watchtree::core {

namespace {
std::atomic<WaitForLock> wait_for_lock{[](Lock& lock) { lock.lock(); }};
}  // namespace

void set_wait_for_lock(WaitForLock wait) noexcept { wait_for_lock.store(wait); }

void PatientLock::wait() { wait_for_lock.load(std::memory_order_relaxed)(lock_); }

}  // namespace watchtree::core
