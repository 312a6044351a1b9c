#!/usr/bin/env bash
# Makes the checkpoints that the goldens were computed with, by the reference's own script; needs Python with torch.
#
# usage: make_checkpoints.sh SHARED-FOLDER CHECKPOINTS-FOLDER
set -euo pipefail
shared=${LANERT_SHARED:-$1}/reference out=$2
[ -d "$shared/goldens" ] || { echo "skipped: $shared/goldens is not there"; exit 77; }
/usr/bin/python3 -c 'import torch' 2>/dev/null || { echo "skipped: no Python with torch"; exit 77; }
mkdir -p "$out"
for golden in "$shared"/goldens/*-*-seed*; do
    name=$(basename "$golden")
    arch=${name%%-*} seed=${name##*seed}
    [ -e "$out/$arch-$seed.pth" ] && continue
    /usr/bin/python3 "$shared/make_checkpoint.py" "$arch" "$seed" "$out/$arch-$seed.partial"
    mv "$out/$arch-$seed.partial" "$out/$arch-$seed.pth"
done
