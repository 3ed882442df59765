# Sourced: Debian's arm64 packages as a user, with a private configuration of apt in the folder $work, which holds state, status, cache and sources.list.

cache=${HYPERCALLS_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/hypercalls/kernels}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror SUITE: where this machine's own apt gets it.
mirror() { apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sed -n "s/^$1 //p" | head -n 1; }

# apt TOOL ARGUMENT…, with nothing of this machine's but its proxies.
apt() {
  local tool=$1
  shift
  "$tool" -o "Dir::State=$work/state" -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" \
    -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User= \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2 \
    -o APT::Update::Error-Mode=any -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@"
}
