// transport.h: what a user of a dispatcher provides: the way to the subscribers (contract §3, Answers).
#pragma once

#include <exception>
#include <string_view>

#include "watchtree/batch.h"

namespace watchtree {

// Must outlive its dispatcher, and every call of a batch that was kept; must not destroy its dispatcher from inside a call.
class Transport {
  public:
    virtual ~Transport() = default;

    // Called with one batch at a time, and with no lock held; may call anything back. An exception is a failed sending of
    // that batch and goes to on_error. To keep the batch beyond the call, move it away.
    virtual void send(Batch& batch) = 0;

    // Errors that have no caller to be thrown to. By default nothing.
    virtual void on_error(std::exception_ptr error, std::string_view channel);
    virtual void on_wrong_result_count(std::string_view channel, std::size_t results);
};

}  // namespace watchtree
