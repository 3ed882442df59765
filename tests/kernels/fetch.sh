#!/usr/bin/env bash
# Fetches Debian's arm64 kernels for the tests that drive a real KVM, as a user, with a private configuration of apt: fetch.sh [ROLE…]
# Roles are 6.1, 6.12 and 7.x. Each folder ROLE of the cache gets
#   Image     the kernel, uncompressed
#   release   as uname says it
#   modules/  in load order, what virtio-serial over PCI needs and the kernel has not built in
# or, where the kernel cannot be had, a line of why in ROLE/why. What is there already is left alone. Never fails.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

modules=(virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console)

# fail WORD…: ends the subshell that fetches one kernel.
fail() {
  echo "$*" >why
  exit 1
}

# dependency PACKAGE PATTERN: the first package it depends on that fits.
dependency() { apt apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Depends: //p' | tr ',|' '\n\n' | sed 's/^ *//; s/ .*//' | grep -Ex -m 1 "$2"; }

# bytes FILE OFFSET COUNT, and word FILE OFFSET: 32 bits, little-endian.
bytes() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }
word() { od -An -v --endian=little -tu4 -j "$2" -N 4 "$1" | tr -d ' \n'; }

# plain VMLINUZ: what the boot protocol calls an Image, out of whatever is around it.
plain() {
  case $(bytes "$1" 56 4) in
  41524d64) # "ARM\x64", the Image's own magic; an EFI zboot has it too, with "zimg" in its head.
    [[ $(bytes "$1" 4 4) == 7a696d67 ]] || { cat "$1"; return; } ;;
  esac
  if [[ $(bytes "$1" 0 2) == 1f8b ]]; then
    gzip -dc "$1"
  elif [[ $(bytes "$1" 4 4) == 7a696d67 ]]; then
    local unpack
    case $(tail -c +25 "$1" | head -c 4) in
    gzip) unpack=gzip ;;
    zstd) unpack=zstd ;;
    *) return 1 ;;
    esac
    tail -c +"$(($(word "$1" 8) + 1))" "$1" | head -c "$(word "$1" 12)" | "$unpack" -dcq
  else
    return 1
  fi
}

# fetch SUITES…, in the folder of the work: makes the folder done, or why.
fetch() {
  local suite image package deb vmlinuz uri module number=1
  for suite in "$@"; do
    case $suite in
    *-security) uri=$(mirror "$suite"); uri=${uri:-${security:-}} ;;
    *) uri=$main ;;
    esac
    [[ -z $uri ]] || echo "deb [arch=arm64 signed-by=$keyring] $uri $suite main" >>sources.list
  done
  [[ -s sources.list ]] || fail "this machine's apt names no mirror of bookworm, from which to take $*"
  apt apt-get update -qq >log 2>&1 || fail "apt cannot read $*: $(grep -m 1 -E '^(E|W):' log || tail -n 1 log)"
  image=$(dependency linux-image-arm64 'linux-image-[0-9].*') || fail "$* has no linux-image-arm64"
  # Since 7.2 the kernel stands in a package of its own.
  package=$(dependency "$image" 'linux-binary-[0-9].*') || package=$image
  (mkdir download && cd download && apt apt-get download "$package") >log 2>&1 || fail "apt cannot download $package: $(grep -m 1 '^E:' log || tail -n 1 log)"
  deb=(download/*.deb)
  mkdir all done done/modules
  dpkg-deb --fsys-tarfile "${deb[0]}" |
    tar -x -C all --wildcards --no-anchored 'vmlinuz*' "${modules[@]/%/.ko*}" 2>log
  vmlinuz=$(find all -name 'vmlinuz*' -type f | head -n 1)
  [[ -n $vmlinuz ]] || fail "$package holds no vmlinuz: $(tail -n 1 log)"
  plain "$vmlinuz" >done/Image && [[ $(bytes done/Image 56 4) == 41524d64 ]] || fail "the kernel of $package is of a format that is not known"
  for module in "${modules[@]}"; do
    module=$(find all -name "$module.ko*" -type f)
    case $module in
    *.ko) cp "$module" "done/modules/$number-${module##*/}" ;;
    *.ko.xz) xz -dc "$module" >"done/modules/$number-$(basename "$module" .xz)" || fail "$module cannot be unpacked" ;;
    esac
    number=$((number + 1))
  done
  echo "${image#linux-image-}" >done/release
}

main=$(mirror bookworm)
mkdir -p "$cache" || exit 0
work=
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
[[ $# -gt 0 ]] || set -- 6.1 6.12 7.x
for role; do
  [[ -e $cache/$role/Image ]] && continue
  case $role in
  6.1) suites=(bookworm bookworm-security) ;;
  6.12) suites=(trixie) ;;
  7.x) suites=(trixie-backports) ;;
  *) echo "$role is no role: 6.1, 6.12, 7.x." >&2; continue ;;
  esac
  # Beside the target, so that the rename at the end is one.
  work=$(mktemp -d "$cache/.fetch-XXXXXX") || exit 0
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
  touch "$work/status" "$work/sources.list"
  why=
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    why="this machine has no apt; the kernels are Debian's"
  elif [[ ! -e $keyring ]]; then
    why="$keyring is missing: apt-get install debian-archive-keyring"
  else
    (cd "$work" && fetch "${suites[@]}") || why=$(cat "$work/why" 2>/dev/null)
  fi
  if [[ -e $work/done/release ]]; then
    rm -rf "${cache:?}/$role"
    mv -T "$work/done" "$cache/$role" && echo "$role: Linux $(cat "$cache/$role/release")"
  else
    echo "$role cannot be had: ${why:-fetching it ended early}."
    mkdir -p "$cache/$role"
    echo "${why:-fetching it ended early}" >"$cache/$role/why"
  fi
  rm -rf "$work"
  work=
done
exit 0
