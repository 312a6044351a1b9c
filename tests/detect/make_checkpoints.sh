#!/usr/bin/env bash
# Makes the checkpoints that the goldens were computed with, by the reference's own script; needs Python with torch.
#
# usage: make_checkpoints.sh SHARED-FOLDER CHECKPOINTS-FOLDER
set -euo pipefail
shared=${LANERT_SHARED:-$1}/reference out=$2
[ -d "$shared/goldens" ] || { echo "skipped: $shared/goldens is not there"; exit 77; }
/usr/bin/python3 -c 'import torch' 2>/dev/null || { echo "skipped: no Python with torch"; exit 77; }
mkdir -p "$out"

# make ARCH SEED FILE [OPTION]
make() {
    [ -e "$out/$3" ] && return
    /usr/bin/python3 "$shared/make_checkpoint.py" "$1" "$2" "$out/$3.partial" "${@:4}"
    mv "$out/$3.partial" "$out/$3"
}

for golden in "$shared"/goldens/*-*-seed*; do
    name=$(basename "$golden")
    arch=${name%%-*} seed=${name##*seed}
    make "$arch" "$seed" "$arch-$seed.pth"
done
make resnet18 4 resnet18-4-half.pth --half
