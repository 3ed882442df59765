#!/bin/sh
# Builds the initial RAM file system of a guest: build.sh OUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out/init-root/dev"
aarch64-linux-gnu-gcc -Wall -Wextra -Werror -O2 -static -s -o "$out/init-root/init" "$here/init.c"
(cd "$out/init-root" && find . | cpio -o -H newc --quiet | gzip) >"$out/guest-initrd.gz"
