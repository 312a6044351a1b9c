#!/usr/bin/env bash
# Builds lanert, and finds the lanes of examples/drive.mp4, a drive that the project drew (train/drive.py), with the bundled
# model: leaves an annotated video and its lanes in build/demo/.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh
demo=build/demo
mkdir -p $demo
build/lanert detect examples/drive.mp4 --output $demo/lanes.mp4 --output $demo/lanes.jsonl --force

cat <<END

  annotated video   $demo/lanes.mp4
  lanes             $demo/lanes.jsonl

Now a video of your own: build/lanert detect drive.mp4 -o lanes.mp4. models/README.md says where the bundled model fails.
END
