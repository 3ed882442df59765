#!/bin/sh
# Builds every guest, or the one named, into the folder given: NAME.bin, an arm64 Image linked for the address the host loads it to.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
for program in "$here"/${2:-*}.c; do
	name=$(basename "$program" .c)
	case $name in
	guest | sdei_client) continue ;;
	sdei*) sources="$here/sdei.S $here/sdei_client.c" ;;
	*) sources= ;;
	esac
	aarch64-linux-gnu-gcc -Wall -Werror -O1 -ffreestanding -fno-stack-protector -fno-pic -mgeneral-regs-only -mstrict-align \
		-nostdlib -static -Wl,-Ttext=0x40400000 -Wl,--build-id=none ${CPPFLAGS:-} -o "$out/$name.elf" "$here/start.S" "$here/guest.c" $sources "$program"
	aarch64-linux-gnu-objcopy -O binary "$out/$name.elf" "$out/$name.bin"
done
