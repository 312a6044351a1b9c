#!/usr/bin/env bash
# Builds lanert, and runs it on a road that it draws: leaves an annotated video and its lanes in build/demo/.
#
# There is no trained model in the project yet. This demo converts one with made weights, whose lines are not found but fixed near
# where lanes usually are: it shows the program, not its accuracy. With a checkpoint of CLRNet's authors, or your own:
#     build/lanert convert culane_r18.pth -o r18.onnx --preset culane
#     build/lanert detect drive.mp4 -m r18.onnx -o lanes.mp4
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh
demo=build/demo
mkdir -p $demo
build/made_checkpoint $demo/made.pth --width 16
build/lanert convert $demo/made.pth -o $demo/made.onnx --preset culane --force
build/lanert detect synthetic:frames=250 --model $demo/made.onnx \
    --output $demo/lanes.mp4 --output $demo/lanes.jsonl --force

cat <<END

  annotated video   $demo/lanes.mp4
  lanes             $demo/lanes.jsonl

The model has made weights: its lines are fixed near where lanes usually are, not found.
END
