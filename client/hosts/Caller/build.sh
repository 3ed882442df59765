#!/bin/sh
# Builds caller.bin, byte for byte the same each time; a folder as argument receives it instead of this one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
elf=$(mktemp)
trap 'rm -f "$elf"' EXIT
aarch64-linux-gnu-gcc -x assembler-with-cpp -I"$here" -nostdlib -static -Wl,-Ttext=0 -Wl,--build-id=none -o "$elf" "$here/caller.S"
aarch64-linux-gnu-objcopy -O binary -j .text "$elf" "$out/caller.bin"
