#!/bin/sh
# Builds every AArch32 guest into the folder given: NAME.bin, raw, linked for the address the host loads it to.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
for program in "$here"/*.c; do
	name=$(basename "$program" .c)
	[ "$name" != guest ] || continue
	arm-linux-gnueabihf-gcc -Wall -Werror -O1 -marm -march=armv8-a -mfloat-abi=soft -ffreestanding -fno-stack-protector -fno-pic -mno-unaligned-access -Wa,-mno-warn-deprecated \
		-nostdlib -static -Wl,-Ttext=0x40400000 -Wl,--build-id=none -Wl,-z,noexecstack -o "$out/$name.elf" "$here/start.S" "$here/guest.c" "$program"
	arm-linux-gnueabihf-objcopy -O binary "$out/$name.elf" "$out/$name.bin"
done
