# Sourced: installs what is missing, and asks the network for nothing when nothing is.

# need_dotnet: the .NET SDK is the one thing that is not installed here.
need_dotnet() {
  if ! command -v dotnet >/dev/null; then
    echo "The .NET 10 SDK is missing: install it, so that dotnet is on the PATH." >&2
    exit 1
  fi
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

# need FILE=PACKAGE…: installs each package whose file is not there.
need() {
  local pair packages=()
  for pair in "$@"; do
    [[ -e ${pair%%=*} ]] || packages+=("${pair#*=}")
  done
  [[ ${#packages[@]} -eq 0 ]] && return
  if ! command -v apt-get >/dev/null; then
    echo "Missing: ${packages[*]}. These are Debian's names; install them, or run on Debian 12." >&2
    exit 1
  fi
  local root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || { echo "Missing: ${packages[*]}. Install them as root: apt-get install ${packages[*]}" >&2; exit 1; }
    root=(sudo)
  fi
  echo "Installing ${packages[*]}…"
  local log
  log=$(mktemp)
  if ! { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed: the whole log is $log." >&2
    exit 1
  fi
  rm -f "$log"
}

qemu=/usr/bin/qemu-system-aarch64=qemu-system-arm
kernel=/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/linux=debian-installer-12-netboot-arm64
kernel32=/usr/lib/debian-installer/images/12/armhf/text/debian-installer/armhf/vmlinuz=debian-installer-12-netboot-armhf
# For programs that run on an arm64 Linux.
libc=/usr/aarch64-linux-gnu/lib/libc.a=libc6-dev-arm64-cross
