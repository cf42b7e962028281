// The test runner's main(). It has a file of its own because compiling Catch takes longer than
// compiling the tests.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
