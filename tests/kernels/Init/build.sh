#!/bin/sh
# Builds the first process of a guest: build.sh OUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
aarch64-linux-gnu-gcc -Wall -Wextra -Werror -O2 -static -s -o "$1/init" "$here/init.c"
