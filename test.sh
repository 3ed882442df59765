#!/usr/bin/env bash
# Builds with warnings as errors, checks the format, runs every test. Arguments go to dotnet test: ./test.sh --filter Psci
set -uo pipefail
cd "$(dirname "$0")"
source .ci/need.sh
need_dotnet
need "$qemu" "$kernel" "$kernel32" \
  /usr/bin/aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu \
  "$libc" /usr/bin/cpio=cpio \
  /usr/bin/arm-linux-gnueabihf-gcc=gcc-arm-linux-gnueabihf \
  /usr/bin/protoc=protobuf-compiler \
  /usr/bin/grpc_python_plugin=protobuf-compiler-grpc \
  /usr/lib/python3/dist-packages/grpc/__init__.py=python3-grpcio \
  /usr/lib/python3/dist-packages/google/protobuf/__init__.py=python3-protobuf

results=artifacts/results
rm -rf "$results"
mkdir -p "$results"
failed() {
  echo "$1"
  echo "0 passed, 1 failed"
  exit 1
}
echo "Building…"
dotnet build Hypercalls.sln -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false || failed "The build failed."
echo "Checking the format…"
dotnet format Hypercalls.sln --no-restore --verify-no-changes --exclude artifacts || failed "The format differs: run dotnet format."
./pack.sh --no-build || failed "The packages could not be made."
echo "Fetching kernels…"
tests/kernels/fetch.sh
echo "Testing…"
dotnet test tests/Hypercalls.Tests.csproj -c Release --no-build --results-directory "$results" \
  --logger "trx;LogFileName=tests.trx" --logger "console;verbosity=minimal" --blame-hang-timeout 20m --blame-hang-dump-type none "$@"
status=$?

trx=$results/tests.trx
[[ -e $trx ]] || failed "The tests did not run to their end."
counter() { grep -o "<Counters [^>]*" "$trx" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*'; }
passed=$(counter passed)
bad=$(($(counter total) - passed - $(counter notExecuted)))
skipped=$(grep -c 'outcome="NotExecuted"' "$trx")
[[ $status -eq 0 || $bad -gt 0 ]] || bad=1
line="$passed passed, $bad failed"
[[ $skipped -eq 0 ]] || line="$line, $skipped skipped"
echo "$line"
exit "$status"
