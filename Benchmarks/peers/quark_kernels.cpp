// AMD Quark's CPU kernels, called on raw FP32: reads numbers from standard input and writes what
// they are quantized to and back.
//
//     quark_kernels prime BITS BLOCK SUBBLOCK SHIFT_BITS ROUNDING
//     quark_kernels bfp BITS BLOCK ROUNDING
//     quark_kernels mx EXPONENT_BITS MANTISSA_BITS EMAX BLOCK LARGEST LEAST ROUNDING
//
// Built with Quark's sources bfp_kernel.cc and mx_kernel.cc.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bfp/cpu/bfp_kernel.h"
#include "mx/cpu/mx_kernel.h"

int main(int count, char** words) {
  std::vector<double> numbers;
  for (int i = 2; i < count; ++i) numbers.push_back(std::atof(words[i]));
  const auto number = [&](int i) { return static_cast<int>(numbers.at(i)); };

  std::vector<float> input(1 << 16), values;
  while (const auto read = std::fread(input.data(), sizeof(float), input.size(), stdin))
    values.insert(values.end(), input.begin(), input.begin() + read);

  std::vector<float> result(values.size());
  const int size = static_cast<int>(values.size());
  if (std::strcmp(words[1], "prime") == 0) {
    LaunchBFPPrimeCPUKernel(
        values.data(), result.data(), size, number(0), number(1), number(2), number(3), number(4));
  } else if (std::strcmp(words[1], "bfp") == 0) {
    LaunchBFPCPUKernel(
        values.data(), result.data(), size, number(0), number(1), number(2), 0);
  } else {
    LaunchMXCPUKernel(
        values.data(), result.data(), size, number(3), number(0), number(1), number(2),
        static_cast<float>(numbers.at(4)), static_cast<float>(numbers.at(5)), number(6));
  }
  std::fwrite(result.data(), sizeof(float), result.size(), stdout);
}
