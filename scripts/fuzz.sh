#!/usr/bin/env bash
# Fuzzes the parsers under AddressSanitizer and UBSan: each target of tests/fuzz in turn, for so many seconds. Ends at the
# first finding, whose input lies in build-fuzz/ then; once mended, it goes into tests/fuzz/corpus/.
#
# usage: scripts/fuzz.sh [SECONDS [TARGET...]]      such as 600 checkpoint onnx; by default 60, and all
set -euo pipefail
cd "$(dirname "$0")/.."

targets=$(basename -s .c tests/fuzz/fuzz_*.c | sed 's/^fuzz_//')
seconds=${1:-60}
shift || true
[ $# != 0 ] || set -- $targets
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "fuzz.sh: '$seconds' is not a number of seconds" >&2
    exit 2
fi
for target; do
    grep -qxF -- "$target" <<<"$targets" && continue
    echo "fuzz.sh: there is no target '$target'; expected one of" $targets >&2
    exit 2
done

scripts/deps.sh test
CC=clang CXX=clang++ cmake -G Ninja -B build-fuzz -S . -DLANERT_TESTS=ON -DLANERT_FUZZ=ON -DLANERT_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null
cmake --build build-fuzz --target "${@/#/fuzz_}"
for target; do
    echo "== $target"
    mkdir -p "build-fuzz/corpus/$target"
    "build-fuzz/tests/fuzz_$target" -max_total_time="$seconds" -timeout=20 -artifact_prefix="build-fuzz/$target-" \
        "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target"
done
