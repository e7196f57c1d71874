#include "bench/workloads.h"

#include <array>

namespace watchtree::bench {

std::span<const Workload> workloads() noexcept {
    static constexpr std::array all = {
        Workload{"limits", limits},     Workload{"fanout", fanout},       Workload{"spread", spread},
        Workload{"coalesce", coalesce}, Workload{"directory", directory}, Workload{"register", enroll},
        Workload{"memory", memory},     Workload{"churn", churn},         Workload{"failures", failures},
        Workload{"latency", latency},   Workload{"cores", cores},         Workload{"scale", scale},
    };
    return all;
}

}  // namespace watchtree::bench
