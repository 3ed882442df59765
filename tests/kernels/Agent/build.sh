#!/bin/sh
# Builds the agent: build.sh OUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
aarch64-linux-gnu-gcc -Wall -Wextra -Werror -O2 -static -pthread -s -o "$1/init" "$here"/*.c
