#!/bin/sh
# One call's worth of training on a machine with a GPU: gpu.sh MINUTES TOTAL [OPTION of train.py]...
#
# Trains for MINUTES of a schedule of TOTAL minutes. Goes on from build-train/run where the machine still has it, else
# from build-train/parts. Leaves in $OUT: parts of the state (half precision, four files of at most 15 MiB), the log,
# and what the averaged network scores on drawn roads and on the labelled folders below build-train/labelled.
set -eu
cd "$(dirname "$0")/.."
minutes=$1 total=$2
shift 2
out=${OUT:-build-train/out}
export PYTHONUNBUFFERED=1 TORCHINDUCTOR_CACHE_DIR="$PWD/build-train/cache"
mkdir -p "$out" build-train
python3 train/train.py build-train/run --compile --batch 96 --total-minutes "$total" --minutes "$minutes" \
    --save-minutes 4 --check-minutes 0 --log-steps 50 --from-parts build-train/parts --parts "$out/parts" "$@"
cp build-train/run/log.jsonl "$out/"
set --
for folder in build-train/labelled/*/; do
    if [ -d "$folder" ]; then
        set -- "$@" --folder "$folder"
    fi
done
python3 train/evaluate.py build-train/run/road.pth --drawn "${DRAWN:-512}" --conf 0.3 0.4 0.5 "$@" |
    tee "$out/figures.jsonl"
