#!/usr/bin/env bash
# What 'make install' leaves is enough for a program of somebody else's: the example is built by pkg-config and by CMake, outside
# the project, and run.
#
# usage: check_install.sh BUILD-FOLDER
set -euo pipefail
build=$1 root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
prefix=$work/prefix
pc=$(dirname "$(find "$prefix" -name lanert.pc)")
export PKG_CONFIG_PATH=$pc LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(pkg-config --variable=libdir lanert)
for file in bin/lanert include/lanert/lanert.h share/man/man1/lanert.1 share/bash-completion/completions/lanert; do
    [ -e "$prefix/$file" ] || { echo "$file was not installed"; exit 1; }
done

cd "$work"
cp "$root/examples/detect.c" .
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror detect.c $(pkg-config --cflags --libs lanert) -o by-pkg-config
cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(lanert 0.1 REQUIRED)
add_executable(by-cmake detect.c)
target_link_libraries(by-cmake lanert::lanert)
END
cmake -G Ninja -B user -S . -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build user >/dev/null
echo '#include <lanert/lanert.h>
int main() { lanert_error err; lanert_model *m = nullptr; return lanert_model_open("none", nullptr, &m, &err) == LANERT_ENOTFOUND ? 0 : 1; }' >user.cc
if command -v c++ >/dev/null; then
    # shellcheck disable=SC2046
    c++ -Wall -Wextra -Werror user.cc $(pkg-config --cflags --libs lanert) -o by-c++ && ./by-c++
fi

# The installed program finds its engines beside it, with the build folder out of the way.
unset LD_LIBRARY_PATH
"$prefix/bin/lanert" doctor --json >doctor.json || { echo "installed, but no engine is usable"; exit 77; }
grep -q "$prefix" doctor.json || { echo "the engines are not the installed ones:"; cat doctor.json; exit 1; }
"$build/made_checkpoint" made.pth --width 8
"$prefix/bin/lanert" convert made.pth -o made.onnx --preset culane -q
"$prefix/bin/lanert" detect synthetic:frames=1,size=640x360 -m made.onnx -o pictures/ -q
export LD_LIBRARY_PATH=$(dirname "$pc")
for program in ./by-pkg-config user/by-cmake; do
    $program pictures/*/00000.jpg made.onnx | tee lanes.txt
    grep -q "lane 1: score" lanes.txt
done

# The bundled model is found wherever the tree is moved to; where it is absent that is told.
mv "$prefix" moved
mkdir -p moved/share/lanert/models
cp made.onnx moved/share/lanert/models/road.onnx
LD_LIBRARY_PATH=moved/${LD_LIBRARY_PATH#"$prefix/"} ./by-pkg-config pictures/*/00000.jpg >bundled.txt
diff lanes.txt bundled.txt
moved/bin/lanert detect pictures -q
rm moved/share/lanert/models/road.onnx
! moved/bin/lanert detect pictures -q 2>absent.txt
grep -q "bundled model" absent.txt
