// The CRC-64 that ends RDB files and DUMP payloads: the polynomial of D. Jones,
// 0xad93d23594c935a9, reflected, beginning with 0, nothing inverted. Where the processor multiplies
// without carry (x86's PCLMULQDQ, asked for at run time), 64 bytes at a time by the folding of
// V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction",
// Intel 2009; elsewhere eight, by the slicing of M. Kounavis and F. Berry.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace spinel {

// The checksum of what `crc` is the checksum of, followed by `bytes`. That of nothing is 0.
uint64_t Crc64(uint64_t crc, std::string_view bytes);

}  // namespace spinel
