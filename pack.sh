#!/usr/bin/env bash
# Packs what authors of services and of vCPU hosts build on into artifacts/packages: sdk, testkit, template, wire and client library.
# The version says what is in them (0.1.0-c and a hash of the sources), so a change is never hidden by a cache. Says nothing where all is packed.
#   ./pack.sh             builds what it packs, where that changed
#   ./pack.sh --no-build  packs what is built
#   ./pack.sh --help      these lines
# artifacts/packages/version holds the version. Older packages stay for those who build on them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${1:-} in
  --help) sed -n '2,/^set/{/^set/!s/^# \?//p}' "$here/pack.sh"; exit ;;
  "" | --no-build) ;;
  *) echo "pack.sh: $1 is unknown; ./pack.sh --help says what there is." >&2; exit 2 ;;
esac
cd "$here"
source .ci/need.sh
need_dotnet
artifacts=$here/artifacts
feed=$artifacts/packages
ids=(Hypercalls.Client Hypercalls.Grpc Hypercalls.Protos Hypercalls.Sdk Hypercalls.Templates Hypercalls.Testkit)

# The template names the folder, so the folder counts too.
base=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
hash=$({ echo "$feed" && find protos plugins/sdk plugins/testkit plugins/template client/library {plugins,client}/README.md \
  plugins/Directory.Build.targets Directory.* LICENSE NOTICE pack.sh -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0 \
  | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-12)
version=$base-c$hash

is_packed() {
  local id
  [[ $(cat "$feed/version" 2>/dev/null) == "$version" ]] || return 1
  for id in "${ids[@]}"; do
    [[ -e $feed/$id.$version.nupkg ]] || return 1
  done
}
is_packed && exit

mkdir -p "$feed"
# Nobody builds or packs meanwhile.
exec 9>"$artifacts/lock"
flock 9
is_packed && exit
echo "Packing…" >&2
made=$(mktemp -d "$artifacts/packing.XXXXXX")
trap 'rm -rf "$made"' EXIT
run() {
  "$@" >>"$made/log" 2>&1 || { cat "$made/log" >&2; exit 1; }
}
options=(.ci/Packages.slnf -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false)
[[ ${1:-} == --no-build ]] || run dotnet build "${options[@]}"
run dotnet pack "${options[@]}" --no-build -p:PackageVersion="$version" -p:PackageOutputPath="$made" -p:HypercallsFeed="$feed"
# A command that names the template by a pattern finds one.
rm -f "$feed"/Hypercalls.Templates.*.nupkg
mv "$made"/*.nupkg "$feed"
echo "$version" >"$made/version"
mv "$made/version" "$feed/version"
