#!/usr/bin/env bash
# Runs all tests: installs what is missing, builds, then the unit, parity and command-line tests, and once more those of the
# rooms, with the fuzz targets' corpora, under AddressSanitizer and UBSan. Safe and quick to run again.
#
# usage: scripts/test.sh [CTEST-OPTION...]      such as -R decode
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh test
scripts/build.sh -DLANERT_TESTS=ON
cmake -G Ninja -B build-sanitized -S . -DLANERT_TESTS=ON -DLANERT_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build build-sanitized

status=0
for build in build-sanitized build; do
    echo "== $build"
    ctest --test-dir "$build" --output-on-failure -j "$(nproc)" "$@" || status=1
done
exit $status
