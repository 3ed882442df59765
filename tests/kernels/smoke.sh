#!/usr/bin/env bash
# The real thing, as it is built: `hypercalls run --accel kvm` inside an emulated arm64 machine with a real Linux and its /dev/kvm.
#   tests/kernels/smoke.sh             runs it; opt-in, never part of ./test.sh
#   tests/kernels/smoke.sh --help      these lines
# .NET and the product are those of x86-64, translated by Debian's box64 on a processor that QEMU emulates: 8 to 15 minutes, ended after 40 (HYPERCALLS_SMOKE_SECONDS),
# 3 GB of memory and 250 MB of temporary files. Kernel and packages are fetched once, into the cache that fetch.sh fills; the product is built if a source is newer.
# Exit code 0: the guest's calls were answered by the daemon as expected; 1: they were not, 2: it cannot be run here. The log is artifacts/kvm-smoke.log.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
product=$(cd "$here/../.." && pwd)
source "$here/debian.sh"
case ${1:-} in
  --help) sed -n '2,/^set/{/^set/!s/^# \?//p}' "${BASH_SOURCE[0]}"; exit ;;
  "") ;;
  *) echo "smoke.sh: $1 is unknown; smoke.sh --help says what there is." >&2; exit 2 ;;
esac

limit=${HYPERCALLS_SMOKE_SECONDS:-2400}
packages=(box64 busybox-static libc6 libgcc-s1 {libstdc++6,libgcc-s1,libssl3t64,zlib1g,libzstd1}:amd64)
debian=$cache/smoke

cannot() {
  echo "smoke: $*" >&2
  exit 2
}

work=$(mktemp -d) machine= part=
end() {
  [[ -z $machine ]] || { kill "$machine" 2>/dev/null && wait "$machine" 2>/dev/null; } || true
  rm -rf "$work" "$part"
}
trap end EXIT
trap 'exit 130' INT TERM

[[ $(uname -m) == x86_64 ]] || cannot "the build and .NET that it translates are those of x86-64."
for program in qemu-system-aarch64=qemu-system-arm aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu cpio=cpio; do
  command -v "${program%%=*}" >/dev/null || cannot "${program%%=*} is missing: apt-get install ${program#*=}"
done

"$here/fetch.sh" 6.12
[[ -e $cache/6.12/Image ]] || cannot "the kernel cannot be had: $(cat "$cache/6.12/why" 2>/dev/null)"

# unpack FOLDER: the packages, with a line for each in FOLDER/packages.
unpack() {
  local uri deb
  uri=$(mirror bookworm)
  [[ -n $uri ]] || { echo "smoke: this machine's apt names no mirror of bookworm." >&2; return 1; }
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/download" "$1/root"
  touch "$work/status"
  echo "deb [arch=arm64,amd64 signed-by=$keyring] $uri trixie main" >"$work/sources.list"
  apt apt-get -o APT::Architectures::=amd64 update -qq || return
  (cd "$work/download" && apt apt-get -o APT::Architectures::=amd64 download "${packages[@]}") >"$work/log" 2>&1 || { tail -n 3 "$work/log" >&2; return 1; }
  for deb in "$work"/download/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$1/root" --keep-directory-symlink --exclude './usr/share/*' --exclude '*/gconv/*' || return
    dpkg-deb --show --showformat '${Package} ${Version} ${Architecture}\n' "$deb" >>"$1/packages"
  done
}
if [[ ! -e $debian/packages ]]; then
  echo "smoke: fetching box64 and libraries…"
  # Beside the target, so that the rename at the end is one; whoever runs at the same time has its own.
  part=$(mktemp -d "$cache/.smoke-XXXXXX") || cannot "$cache cannot be written."
  unpack "$part" || cannot "Debian's packages cannot be had: ${packages[*]}"
  mv -T "$part" "$debian" 2>/dev/null || [[ -e $debian/packages ]] || cannot "$debian cannot be made: remove what stands there."
fi

echo "smoke: building…"
"$product/hypercalls" --version >"$work/version" || cannot "the product does not build."
runtime=$(dotnet --list-runtimes | sed -n 's/^Microsoft\.AspNetCore\.App \(10\.[^ ]*\) .*/\1/p' | tail -n 1)
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
[[ -n $runtime && -d $dotnet/shared/Microsoft.NETCore.App/$runtime ]] || cannot "there is no .NET 10 runtime in $dotnet."

root=$work/root
mkdir -p "$root"/{proc,sys,dev,run,tmp,root} "$root"/usr/share/dotnet/shared/Microsoft.{NETCore,AspNetCore}.App "$root"/product/artifacts/bin/Hypercalls.{Cli,Daemon}
cp -a "$debian/root/." "$root"
ln -s usr/bin usr/lib "$root"
ln -s busybox "$root/usr/bin/sh"
# box64 asks it for the processor's name, and manages without.
printf '#!/bin/sh\n' >"$root/usr/bin/lscpu"
chmod +x "$root/usr/bin/lscpu"
cp -a "$dotnet"/{dotnet,host} "$root/usr/share/dotnet"
for framework in NETCore AspNetCore; do
  cp -a "$dotnet/shared/Microsoft.$framework.App/$runtime" "$root/usr/share/dotnet/shared/Microsoft.$framework.App"
done
for program in Cli Daemon; do
  cp -a "$product/artifacts/bin/Hypercalls.$program/release" "$root/product/artifacts/bin/Hypercalls.$program"
done
cp -aL "$product/artifacts/plugins" "$root/product/artifacts"
cp "$here/Smoke/init" "$root/init"
chmod +x "$root/init"
sh "$product/tests/Guest/build.sh" "$work" smoke || cannot "its guest does not build."
cp "$work/smoke.bin" "$root/guest.bin"
sh "$here/Init/build.sh" "$work" || cannot "the first process of its Linux does not build."
(cd "$work" && echo init | cpio -o -H newc --quiet) >"$root/guest-initrd"
cp "$cache/6.12/Image" "$root"
cat >"$root/commands" <<'COMMANDS'
hypercalls run --accel kvm --kernel /guest.bin --cores 2 --memory 64 --trace --table
hypercalls run --accel kvm --kernel /Image --initrd /guest-initrd --append "console=ttyAMA0 quiet rounds=1 then=poweroff" --cores 2 --memory 256 --table
COMMANDS
(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"
rm -rf "$root"

# Emulated time is counted in instructions, so that no patience of the product depends on how fast this machine is.
log=$product/artifacts/kvm-smoke.log
{
  echo "\$ tests/kernels/smoke.sh"
  echo "hypercalls $(cat "$work/version"), .NET $runtime of linux-x64, $(qemu-system-aarch64 --version | head -n 1)"
  echo "Linux $(cat "$cache/6.12/release")"
  cat "$debian/packages"
} | tee "$log"
echo "smoke: booting…"
SECONDS=0
timeout "$limit" nice -n 10 qemu-system-aarch64 -nodefaults -no-user-config -display none -no-reboot \
  -machine virt,virtualization=on,gic-version=3 -cpu max,pauth-impdef=on,sve=off -smp 1 -m 3072 \
  -accel tcg,thread=single,tb-size=512 -icount shift=0 -kernel "$cache/6.12/Image" -initrd "$work/initramfs" \
  -append "console=ttyAMA0 rdinit=/init panic=-1 quiet" -serial stdio >"$work/said" 2>&1 </dev/null &
machine=$!
tail -f -n +1 --pid="$machine" "$work/said" &
wait "$machine" || echo "smoke: QEMU ended with code $?."
machine=
wait
tr -d '\r' <"$work/said" >>"$log"

missing=0
verdict() { echo "smoke: $*" | tee -a "$log"; }
# expect COUNT LINE: how often it is said, perhaps with more behind it.
expect() {
  local said
  said=$(grep -cE "^$2" "$log") || true
  [[ $said -eq $1 ]] || { verdict "it said $said times, and not $1: $2"; missing=1; }
}
# Of the bare guest.
expect 1 'cores: 0x2$'
expect 1 'PSCI_VERSION: 0x10003$'
expect 1 'CPU_ON: 0x0$'
expect 1 'the core runs with context: 0x1234$'
expect 1 'the core is off$'
expect 1 'CPU_ON of no core: 0xfffffffffffffffe$'
# Of Linux; what goes wrong there is told with its path.
expect 1 'guest: psci: PSCIv1\.3 detected in firmware\.$'
expect 1 'guest: sdei: SDEIv1\.1 \(0x0\) detected in firmware\.$'
expect 1 'guest: psci: CPU0 killed'
expect 1 'guest: psci: CPU1 killed'
expect 1 'guest: cores 0-1 are online$'
expect 0 'guest: /'
expect 2 'smoke: exit code 0$'
[[ $missing -ne 0 ]] || verdict "all as expected."
verdict "$SECONDS s on this machine"
exit "$missing"
