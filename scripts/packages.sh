#!/usr/bin/env bash
# The one list of Debian 12 packages that weft needs, and the reason for each.
#
#   scripts/packages.sh GROUP...          installs what is missing of the groups (default: build)
#   source scripts/packages.sh            defines install_packages GROUP...
#
# Groups: build (the program), test (its tests), check (formatter, linter, sanitizers: what CI adds).

package_table() {
  cat <<'TABLE'
build  g++                     C++20 compiler, with OpenMP's runtime
build  cmake                   build description
build  ninja-build             build runner
build  libfmt-dev              formatting of numbers and messages
build  libcli11-dev            command line
build  libtomlplusplus-dev     configuration files
build  nlohmann-json3-dev      metrics, checkpoint state, safetensors headers
build  zlib1g-dev              compressed timelines
build  libhwy-dev              portable SIMD with run-time dispatch
build  libxsmm-dev             JIT-compiled matrix kernels for AVX2 and AVX-512
build  libopenblas-serial-dev  matrix products on CPUs without these
build  libutf8proc-dev         Unicode classes of GPT-2's tokenizer
build  robin-map-dev           hash tables of the tokenizer
build  libxxhash-dev           checksums of checkpoints
build  libjs-dygraphs          charts of the page that `weft report` writes
build  libopenmpi-dev          training on several machines
build  openmpi-bin             mpirun of Open MPI
test   libgtest-dev            unit tests
test   libmpich-dev            the second MPI library; it stays beside the first
test   mpich                   mpirun of MPICH
test   python3                 tests of the layers, the documents and the scripts
test   valgrind                callgrind: counts the instructions of kernels
test   iproute2                ip and tc: the hosts and links of scripts/cluster_lab.sh
check  ccache                  what was compiled before, in any clone, is not compiled again
check  clang-14                the second compiler; ThreadSanitizer
check  libclang-rt-14-dev      clang's sanitizer runtimes
check  libomp-14-dev           clang's OpenMP, and Archer, which explains it to ThreadSanitizer
check  llvm-14                 symbolizer: function names in sanitizer reports
check  clang-format-14         formatting
check  clang-tidy-14           static analysis
TABLE
}

# The packages of the groups, one a line.
packages_of() {
  package_table | awk -v groups=" $* " 'index(groups, " " $1 " ") { print $2 }'
}

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_packages_of() {
  local package
  for package in $(packages_of "$@"); do
    is_installed "$package" || echo "$package"
  done
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "No apt-get here: if the build misses a library, install what Debian calls" >&2
    packages_of "$@" | sed 's/^/  /' >&2
    return
  fi

  local missing
  mapfile -t missing < <(missing_packages_of "$@")
  ((${#missing[@]})) || return 0
  echo "Installing ${missing[*]}"
  as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  install_packages "${@:-build}"
fi
