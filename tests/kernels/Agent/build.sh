#!/bin/sh
# Builds the agent and puts it, with the modules of a kernel if it has any, into an initial RAM file system: build.sh OUT [MODULES]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out/root/modules"
aarch64-linux-gnu-gcc -Wall -Wextra -Werror -O2 -static -pthread -s -o "$out/root/init" "$here/agent.c"
for module in "${2:-}"/*.ko; do
	[ ! -e "$module" ] || cp "$module" "$out/root/modules/"
done
(cd "$out/root" && find . | cpio -o -H newc --quiet) >"$out/initramfs"
