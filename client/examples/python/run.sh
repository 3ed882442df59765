#!/bin/sh
# Makes the stubs of hypercalls.proto with Debian's compiler and runs host.py: client/examples/python/run.sh [ADDRESS]
# Needs python3-grpcio, python3-protobuf, protobuf-compiler and protobuf-compiler-grpc.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=/tmp/hypercalls-$(id -u)
[ ! -d "${XDG_RUNTIME_DIR:-}" ] || folder=$XDG_RUNTIME_DIR/hypercalls
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
protoc -I"$here/../../../protos" --python_out="$stubs" --grpc_python_out="$stubs" --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" hypercalls.proto
PYTHONPATH=$stubs /usr/bin/python3 -B "$here/host.py" "${1:-unix:$folder/daemon.sock}"
