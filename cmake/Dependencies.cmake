# Every library that weft uses, and why. All come from Debian 12's own packages;
# scripts/packages.sh lists the package names.

# Human-readable formatting of numbers and messages (libfmt-dev).
find_package(fmt REQUIRED)

# Command line (libcli11-dev).
find_package(CLI11 REQUIRED)

# Configuration files: TOML as its specification reads it (libtomlplusplus-dev).
find_package(tomlplusplus REQUIRED)

# metrics.jsonl, config.json, state.json, safetensors headers (nlohmann-json3-dev).
find_package(nlohmann_json REQUIRED)

# Compressed timelines, .json.gz (zlib1g-dev).
find_package(ZLIB REQUIRED)

# Portable SIMD with run-time dispatch: one binary for SSE2, AVX2 and AVX-512 (libhwy-dev).
find_package(HWY REQUIRED)

# The three executors (the compiler's own runtime: libgomp with g++, libomp with clang).
find_package(OpenMP REQUIRED COMPONENTS CXX)

# JIT-compiled matrix kernels for AVX2 and AVX-512 (libxsmm-dev, static archives only).
find_path(XSMM_INCLUDE_DIR libxsmm.h REQUIRED)
find_library(XSMM_LIBRARY libxsmm.a REQUIRED)
find_library(XSMM_NOBLAS_LIBRARY libxsmmnoblas.a REQUIRED)
add_library(weft_xsmm INTERFACE)
target_include_directories(weft_xsmm SYSTEM INTERFACE ${XSMM_INCLUDE_DIR})
target_link_libraries(weft_xsmm INTERFACE ${XSMM_LIBRARY} ${XSMM_NOBLAS_LIBRARY} pthread dl m)
add_library(weft::xsmm ALIAS weft_xsmm)

# Matrix products on CPUs that libxsmm does not serve (libopenblas-serial-dev). The serial build:
# an executor already runs one product per thread, and OpenBLAS's own threads would fight it.
# Linked statically so that Debian's alternatives cannot swap in a threaded build at run time.
find_library(OPENBLAS_LIBRARY libopenblas.a
  PATHS /usr/lib/x86_64-linux-gnu/openblas-serial /usr/lib/aarch64-linux-gnu/openblas-serial
  NO_DEFAULT_PATH REQUIRED)
find_path(CBLAS_INCLUDE_DIR cblas.h
  PATHS /usr/include/x86_64-linux-gnu/openblas-serial /usr/include/aarch64-linux-gnu/openblas-serial
  NO_DEFAULT_PATH REQUIRED)
add_library(weft_cblas INTERFACE)
target_include_directories(weft_cblas SYSTEM INTERFACE ${CBLAS_INCLUDE_DIR})
target_link_libraries(weft_cblas INTERFACE ${OPENBLAS_LIBRARY} m)
add_library(weft::cblas ALIAS weft_cblas)

# Unicode classes of GPT-2's pre-tokenizer (libutf8proc-dev 2.8, Unicode 15.0).
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(weft_utf8proc INTERFACE)
target_include_directories(weft_utf8proc SYSTEM INTERFACE ${UTF8PROC_INCLUDE_DIR})
target_link_libraries(weft_utf8proc INTERFACE ${UTF8PROC_LIBRARY})
add_library(weft::utf8proc ALIAS weft_utf8proc)

# Hash tables that are faster than std::unordered_map, for the tokenizer (robin-map-dev).
find_package(tsl-robin-map REQUIRED)

# XXH3 checksums of checkpoint files (libxxhash-dev).
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
add_library(weft_xxhash INTERFACE)
target_include_directories(weft_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_link_libraries(weft_xxhash INTERFACE ${XXHASH_LIBRARY})
add_library(weft::xxhash ALIAS weft_xxhash)

# Charts of the page that `weft report` writes; the page holds them, with their licence
# (libjs-dygraphs).
find_file(DYGRAPHS_SCRIPT dygraph.min.js PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH REQUIRED)
find_file(DYGRAPHS_STYLE dygraph.min.css PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH REQUIRED)
find_file(DYGRAPHS_LICENCE copyright PATHS /usr/share/doc/libjs-dygraphs NO_DEFAULT_PATH REQUIRED)

# Training on several machines (libopenmpi-dev; libmpich-dev), or none: cmake/ChooseMpi.cmake decides.
include(ChooseMpi)

# Tests (libgtest-dev).
if(WEFT_BUILD_TESTS)
  find_package(GTest REQUIRED)
  # Counts the instructions of kernels (valgrind). Not required: that test skips without it.
  find_path(VALGRIND_INCLUDE_DIR valgrind/callgrind.h)
endif()
