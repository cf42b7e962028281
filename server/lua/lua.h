// Lua 5.1 as Debian builds it for C++: errors are exceptions, so that destructors run. Whoever
// calls Lua is not noexcept, and catches nothing but what is its own.
#pragma once

#include <lua.hpp>
