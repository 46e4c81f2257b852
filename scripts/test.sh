#!/usr/bin/env bash
# Installs what is missing, builds a release with its tests, and runs all of them.
#
#   scripts/test.sh [CTEST ARGUMENT...]      for example: scripts/test.sh -R '^exec/'
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/packages.sh

install_packages build test
cmake --preset release -DWEFT_BUILD_TESTS=ON
cmake --build --preset release

# Idle threads sleep: tests run side by side, and some use more threads than there are cores.
OMP_WAIT_POLICY=passive \
  ctest --test-dir build --output-on-failure --no-tests=error -j "$(nproc)" "$@"
