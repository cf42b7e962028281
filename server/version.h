// The versions that clients and operators see.
#pragma once

#include <string_view>

namespace spinel {

inline constexpr std::string_view kSpinelVersion = "0.1.0";
// What HELLO and INFO report as redis_version: clients switch features on and off by it.
inline constexpr std::string_view kRedisVersion = "7.2.4";

}  // namespace spinel
