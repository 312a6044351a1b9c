#!/usr/bin/env bash
# Builds lanert: installs what is missing, and leaves the program at build/lanert. Safe and quick to run again.
#
# usage: scripts/build.sh [CMAKE-OPTION...]     such as -DCMAKE_INSTALL_PREFIX=/opt/lanert
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh build
cmake -G Ninja -B build -S . "$@" >build.log 2>&1 || { cat build.log; exit 1; }
rm -f build.log
cmake --build build
echo "built: build/lanert"
