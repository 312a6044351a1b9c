#!/usr/bin/env bash
# The tests of train/: skipped where there is no Python with torch, as the program itself never needs it.
#
# usage: check_train.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."
/usr/bin/python3 -c 'import numpy, torch' 2>/dev/null || { echo "skipped: no Python with torch"; exit 77; }
export LANERT=$1
exec /usr/bin/python3 -m unittest discover -s train -t train
