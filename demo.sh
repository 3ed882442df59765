#!/usr/bin/env bash
# Boots Debian's unmodified arm64 kernel; every SMC and HVC of it is answered over gRPC, and shown.
set -euo pipefail
cd "$(dirname "$0")"
source .ci/need.sh
need_dotnet
need "$qemu" "$kernel"
debian=$(dirname "${kernel%%=*}")
exec ./hypercalls run --kernel "$debian/linux" --initrd "$debian/initrd.gz" --init-script client/cli/Demo/init \
  --append "console=ttyAMA0 rdinit=/init-script quiet" --cores 4 --trace --table "$@" </dev/null
