#include "watchtree/status.h"

namespace watchtree {

const char* name_of(Status status) noexcept {
    switch (status) {
        case Status::ok: return "Ok";
        case Status::invalid_key: return "InvalidKey";
        case Status::key_too_long: return "KeyTooLong";
        case Status::value_too_long: return "ValueTooLong";
        case Status::stale_index: return "StaleIndex";
        case Status::index_out_of_range: return "IndexOutOfRange";
        case Status::not_found: return "NotFound";
        case Status::parent_not_found: return "ParentNotFound";
        case Status::parent_not_directory: return "ParentNotDirectory";
        case Status::is_directory: return "IsDirectory";
        case Status::not_directory: return "NotDirectory";
        case Status::directory_exists: return "DirectoryExists";
        case Status::value_exists: return "ValueExists";
        case Status::has_children: return "HasChildren";
        case Status::compare_failed: return "CompareFailed";
        case Status::invalid_snapshot: return "InvalidSnapshot";
        case Status::duplicate_key: return "DuplicateKey";
        case Status::unknown_channel: return "UnknownChannel";
        case Status::unknown_group: return "UnknownGroup";
        case Status::unknown_server: return "UnknownServer";
    }
    return "?";
}

}  // namespace watchtree
