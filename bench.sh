#!/usr/bin/env bash
# Measures forwarded calls on this machine and prints each figure beside its limit from the same run: ./bench.sh --help
set -euo pipefail
cd "$(dirname "$0")"
source .ci/need.sh
need_dotnet
need "$qemu" /usr/bin/aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu "$libc"
echo "Fetching a kernel…" >&2
tests/kernels/fetch.sh 6.12 >&2
echo "Building…" >&2
mkdir -p artifacts
if ! dotnet build tests/bench/Hypercalls.Bench.csproj -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false >artifacts/bench-build.log 2>&1; then
  cat artifacts/bench-build.log >&2
  exit 1
fi
exec dotnet artifacts/bin/Hypercalls.Bench/release/hypercalls-bench.dll "$@"
