// Runs of equal codes that the host casts of NVIDIA's headers give all 2^32 patterns of FP32.
//
// For every cast, in the order of the patterns, prints its name and then one line for each run: the
// first pattern and the code, both hexadecimal. A run ends where the next begins; the last one ends
// with FFFFFFFF. `cuda_casts NAME...` prints these casts, without a name all of them.
//
//     g++ -std=c++17 -O2 -I CUDA_INCLUDE -I CCCL_INCLUDE cuda_casts.cpp -o cuda_casts

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "cuda_fp4.h"
#include "cuda_fp6.h"
#include "cuda_fp8.h"

namespace {

template <typename Cast>
void print_runs(const char* name, Cast cast) {
  std::printf("%s\n", name);
  unsigned before = 0x100;
  for (std::uint64_t pattern = 0; pattern < (std::uint64_t{1} << 32); ++pattern) {
    const auto bits = static_cast<std::uint32_t>(pattern);
    float value;
    std::memcpy(&value, &bits, sizeof value);
    const unsigned code = cast(value);
    if (code != before) {
      std::printf("%08x %02x\n", bits, code);
      before = code;
    }
  }
  std::fflush(stdout);
}

template <__nv_fp8_interpretation_t kind, __nv_saturation_t saturation>
unsigned fp8(float value) {
  return __nv_cvt_float_to_fp8(value, saturation, kind);
}

template <__nv_fp6_interpretation_t kind, cudaRoundMode rounding>
unsigned fp6(float value) {
  return __nv_cvt_float_to_fp6(value, kind, rounding);
}

template <cudaRoundMode rounding>
unsigned fp4(float value) {
  return __nv_cvt_float_to_fp4(value, __NV_E2M1, rounding);
}

template <cudaRoundMode rounding, __nv_saturation_t saturation>
unsigned e8m0(float value) {
  return __nv_cvt_float_to_e8m0(value, saturation, rounding);
}

struct Named {
  const char* name;
  void (*print)(const char*);
};

template <unsigned (*cast)(float)>
void print(const char* name) {
  print_runs(name, [](float value) { return cast(value); });
}

constexpr Named casts[] = {
    {"e4m3_satfinite", print<fp8<__NV_E4M3, __NV_SATFINITE>>},
    {"e4m3_nosat", print<fp8<__NV_E4M3, __NV_NOSAT>>},
    {"e5m2_satfinite", print<fp8<__NV_E5M2, __NV_SATFINITE>>},
    {"e5m2_nosat", print<fp8<__NV_E5M2, __NV_NOSAT>>},
    {"e2m3_nearest", print<fp6<__NV_E2M3, cudaRoundNearest>>},
    {"e3m2_nearest", print<fp6<__NV_E3M2, cudaRoundNearest>>},
    {"e2m1_nearest", print<fp4<cudaRoundNearest>>},
    {"e2m3_zero", print<fp6<__NV_E2M3, cudaRoundZero>>},
    {"e3m2_zero", print<fp6<__NV_E3M2, cudaRoundZero>>},
    {"e2m1_zero", print<fp4<cudaRoundZero>>},
    {"e2m3_up", print<fp6<__NV_E2M3, cudaRoundPosInf>>},
    {"e3m2_up", print<fp6<__NV_E3M2, cudaRoundPosInf>>},
    {"e2m1_up", print<fp4<cudaRoundPosInf>>},
    {"e2m3_down", print<fp6<__NV_E2M3, cudaRoundMinInf>>},
    {"e3m2_down", print<fp6<__NV_E3M2, cudaRoundMinInf>>},
    {"e2m1_down", print<fp4<cudaRoundMinInf>>},
    {"e8m0_nearest_satfinite", print<e8m0<cudaRoundNearest, __NV_SATFINITE>>},
    {"e8m0_nearest_nosat", print<e8m0<cudaRoundNearest, __NV_NOSAT>>},
    {"e8m0_zero_satfinite", print<e8m0<cudaRoundZero, __NV_SATFINITE>>},
    {"e8m0_zero_nosat", print<e8m0<cudaRoundZero, __NV_NOSAT>>},
    {"e8m0_up_satfinite", print<e8m0<cudaRoundPosInf, __NV_SATFINITE>>},
    {"e8m0_up_nosat", print<e8m0<cudaRoundPosInf, __NV_NOSAT>>},
};

}  // namespace

int main(int count, char** words) {
  for (const Named& cast : casts) {
    bool wanted = count == 1;
    for (int i = 1; i < count; ++i) wanted = wanted || std::strcmp(words[i], cast.name) == 0;
    if (wanted) cast.print(cast.name);
  }
}
