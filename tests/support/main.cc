// The test runner's main(). It has a file of its own because compiling Catch takes longer than
// compiling the tests.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// Tests ask for more memory than there is, and want the null that malloc answers.
// NOLINTBEGIN(bugprone-reserved-identifier): names that the sanitizers look for
extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
// NOLINTEND(bugprone-reserved-identifier)
