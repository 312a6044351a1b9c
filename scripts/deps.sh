#!/bin/bash
# deps.sh - installs what lanert is built, run and tested with.
#
#   scripts/deps.sh [build|test|cuda]
#
# build (the default): Debian packages to build with, and the inference engines under .deps/:
#     .deps/onnxruntime/{include,lib}   ONNX Runtime: library of its PyPI wheel, C header of Debian 13's package
#     .deps/openvino/{include,lib}      OpenVINO: libraries and C headers of its PyPI wheel
# test: build, and what the tests, fuzzers and checks use besides.
# cuda: ONNX Runtime with the providers for NVIDIA GPUs, 250 MB, to be used with LANERT_ENGINES=.deps/cuda:
#     .deps/cuda/onnxruntime/lib        library and providers of the wheel onnxruntime-gpu
#   The driver, CUDA 13 and cuDNN 9, which they load, are not fetched.
#
# For Debian 12 and 13, x86-64 and arm64. Does nothing where all is there; may be interrupted and run again.
set -euo pipefail

# The engines' releases: version, then the SHA-256 of the wheel for each processor. Change all three together.
ONNXRUNTIME=1.32.0
ONNXRUNTIME_x86_64=99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8
ONNXRUNTIME_aarch64=e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054
ONNXRUNTIME_GPU=1.31.1
ONNXRUNTIME_GPU_x86_64=05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7
ONNXRUNTIME_GPU_aarch64=a0f1725c5a6d1ef82d63498b5ebc25e2c90c9560e91dc76db9be4a49162d4d33
OPENVINO=2026.4.1
OPENVINO_x86_64=6b4375c17ddcac83a5180349e2e2bb811185c261066e2a920659892d58ef0e3b
OPENVINO_aarch64=82efccb2f9f1bdc7e5a1996e05a3b719ebff9232dd54b44150d6d2e983a86b7d
# The Debian release with ONNX Runtime's C header (libonnxruntime-dev); 12 has none.
HEADER_SUITE=trixie
# Raised when the layout of .deps changes.
LAYOUT=1

BUILD_PACKAGES=(ca-certificates cmake fonts-dejavu-core gcc git libavcodec-dev libavdevice-dev libavformat-dev libavutil-dev libc6-dev
    libcairo2-dev libjansson-dev libjpeg62-turbo-dev libonnx-dev libpng-dev libprotobuf-c-dev libstdc++6 libswscale-dev
    ninja-build pkg-config protobuf-c-compiler python3 python3-pip unzip zlib1g-dev)
TEST_PACKAGES=(bats clang clang-format clang-tidy ffmpeg jq libclang-rt-dev libcmocka-dev llvm python3-numpy
    python3-onnx python3-torch valgrind)

say() { echo "deps: $*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command up to three times: networks fail now and then.
retry() {
    local try
    for try in 1 2 3; do
        "$@" && return
        [ $try = 3 ] || { say "'$1 $2 …' failed; trying again"; sleep $((try * 2)); }
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "not root, and no sudo: as root, run: $*"
    fi
}

# The packages of the arguments that are not installed.
missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
    comm -23 <(printf '%s\n' "$@" | sort) <(sort <<<"$installed")
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    retry as_root apt-get -q update || die "apt-get update failed: is the network there?"
    retry as_root apt-get -q install -y --no-install-recommends "${missing[@]}" ||
        die "apt-get could not install: ${missing[*]}"
}

# wheel NAME VERSION SHA256 FOLDER: fetches a wheel into FOLDER. Whatever Python the machine has, the wheel is that
# for CPython 3.12, of which only the libraries are used.
wheel() {
    local platforms=() tag
    for tag in 2_17 2_28 2_31 2_34 2_35; do
        platforms+=(--platform "manylinux_${tag}_$ARCH")
    done
    echo "$1==$2 --hash=sha256:$3" >"$4/$1.txt"
    say "fetching $1 $2"
    retry "$PYTHON" -m pip download -q --disable-pip-version-check --retries 1 --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.12 --abi cp312 "${platforms[@]}" --require-hashes -r "$4/$1.txt" \
        -d "$4" ||
        die "pip could not fetch $1 $2: is the network there?"
}

# The machine's own sources of Debian's main archive with the suite replaced, as one-line ($1/list) and deb822
# ($1/parts) sources. Suites such as trixie-updates and archives of others are left out.
header_sources() {
    local etc=/etc/apt release
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mkdir -p "$1/parts"
    cat $etc/sources.list $etc/sources.list.d/*.list 2>/dev/null |
        awk -v from="$release" -v to="$HEADER_SUITE" '
            $1 == "deb" {
                options = ""
                if (match($0, /\[[^]]*\]/)) {
                    options = substr($0, RSTART, RLENGTH) " "
                    $0 = "deb " substr($0, RSTART + RLENGTH)
                }
                if ($3 == from && $4 == "main")
                    print "deb " options $2 " " to " main"
            }' >"$1/parts/main.list" || true
    cat /dev/null $etc/sources.list.d/*.sources 2>/dev/null |
        awk -v from="$release" -v to="$HEADER_SUITE" '
            function flush() {
                if (ours && main)
                    printf "%s\n", stanza
                stanza = ""; ours = main = 0
            }
            function has(word,  i) {
                for (i = 2; i <= NF; i++)
                    if ($i == word)
                        return 1
                return 0
            }
            FNR == 1 || /^[ \t]*$/ { flush() }
            /^#/ || /^[ \t]*$/ { next }
            { field = tolower($1) }
            field == "types:" { $0 = "Types: deb" }
            field == "suites:" { ours = has(from); $0 = "Suites: " to }
            field == "components:" { main = has("main"); $0 = "Components: main" }
            { stanza = stanza $0 "\n" }
            END { flush() }' >"$1/parts/main.sources" || true
    [ -s "$1/parts/main.list" ] || [ -s "$1/parts/main.sources" ] ||
        die "no source of Debian's main archive for '$release' in $etc/sources.list and $etc/sources.list.d"
}

# onnxruntime_header WORK INCLUDE: fetches libonnxruntime-dev of HEADER_SUITE, signature checked as always, and puts
# its C header into INCLUDE. The machine's own package lists stay as they are.
onnxruntime_header() {
    local apt=$1/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    header_sources "$apt"
    local options=(-qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts"
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none
        -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root)
    say "fetching ONNX Runtime's C header"
    retry apt-get "${options[@]}" update && (cd "$apt" && retry apt-get "${options[@]}" download libonnxruntime-dev) ||
        die "apt-get could not fetch libonnxruntime-dev of $HEADER_SUITE: is the network there?"
    dpkg-deb -x "$apt"/libonnxruntime-dev_*.deb "$apt/deb"
    mkdir -p "$2"
    cp "$apt/deb/usr/include/onnxruntime/onnxruntime_c_api.h" "$2/"
    cp "$apt/deb/usr/share/doc/libonnxruntime-dev/copyright" "$2/"
}

make_onnxruntime() { # WORK OUT
    local sha=ONNXRUNTIME_$ARCH
    wheel onnxruntime "$ONNXRUNTIME" "${!sha}" "$1"
    unzip -q "$1"/onnxruntime-*.whl onnxruntime/capi/libonnxruntime.so.\* onnxruntime/LICENSE \
        onnxruntime/ThirdPartyNotices.txt -d "$1/wheel"
    mkdir -p "$2/lib"
    mv "$1"/wheel/onnxruntime/capi/libonnxruntime.so.* "$2/lib/libonnxruntime.so.1"
    mv "$1"/wheel/onnxruntime/{LICENSE,ThirdPartyNotices.txt} "$2/"
    onnxruntime_header "$1" "$2/include"
}

make_cuda() { # WORK OUT
    local sha=ONNXRUNTIME_GPU_$ARCH
    wheel onnxruntime-gpu "$ONNXRUNTIME_GPU" "${!sha}" "$1"
    unzip -q "$1"/onnxruntime_gpu-*.whl onnxruntime/capi/libonnxruntime\* onnxruntime/LICENSE \
        onnxruntime/ThirdPartyNotices.txt -d "$1/wheel"
    mkdir -p "$2/onnxruntime"
    mv "$1/wheel/onnxruntime/capi" "$2/onnxruntime/lib"
    mv "$1"/wheel/onnxruntime/{LICENSE,ThirdPartyNotices.txt} "$2/onnxruntime/"
}

# The processor's plugin and the reader of ONNX; other devices, Python and other formats are left in the wheel.
make_openvino() { # WORK OUT
    local sha=OPENVINO_$ARCH
    wheel openvino "$OPENVINO" "${!sha}" "$1"
    unzip -q "$1"/openvino-*.whl openvino/libs/libopenvino.so.\* openvino/libs/libopenvino_c.so.\* \
        openvino/libs/libopenvino_\*_cpu_plugin.so openvino/libs/libopenvino_onnx_frontend.so.\* \
        openvino/libs/libtbb.so.\* openvino/libs/libtbbmalloc.so.\* openvino/libs/libtbbbind_\* \
        openvino/libs/libhwloc.so.\* openvino/include/openvino/c/\* \*.dist-info/licenses/\* -d "$1/wheel"
    mkdir -p "$2/include/openvino"
    mv "$1/wheel/openvino/libs" "$2/lib"
    mv "$1/wheel/openvino/include/openvino/c" "$2/include/openvino/"
    mv "$1"/wheel/openvino-*.dist-info/licenses "$2/"
}

# engine NAME VERSION: makes .deps/NAME, whole or not at all.
engine() {
    local stamp="$1 $2 $ARCH layout $LAYOUT" work
    [ "$(cat "$DEPS/$1/STAMP" 2>/dev/null)" = "$stamp" ] && return
    work=$(mktemp -d "$DEPS/.partial.XXXXXX")
    mkdir "$work/out"
    "make_$1" "$work" "$work/out"
    echo "$stamp" >"$work/out/STAMP"
    [ ! -e "$DEPS/$1" ] || mv "$DEPS/$1" "$work/old"
    mv "$work/out" "$DEPS/$1"
    rm -rf "$work"
    say "$1 $2 is in $DEPS/$1"
}

main() {
    local packages=("${BUILD_PACKAGES[@]}")
    case ${1:-build} in
    build) ;;
    test) packages+=("${TEST_PACKAGES[@]}") ;;
    cuda) packages=(ca-certificates python3 python3-pip unzip) ;;
    *) echo "usage: scripts/deps.sh [build|test|cuda]" >&2; exit 2 ;;
    esac
    ARCH=$(uname -m)
    case $ARCH in
    x86_64 | aarch64) ;;
    *) die "the engines' libraries are there for x86_64 and aarch64, not for $ARCH" ;;
    esac
    command -v apt-get >/dev/null || die "this is not a Debian (no apt-get); what is needed: ${packages[*]}"
    install_packages "${packages[@]}"
    PYTHON=/usr/bin/python3

    DEPS=$(cd "$(dirname "$0")/.." && pwd)/.deps
    mkdir -p "$DEPS"
    exec 9>"$DEPS/.lock"
    flock 9 # one at a time: a second run waits, then finds all there
    rm -rf "$DEPS"/.partial.*
    trap 'rm -rf "$DEPS"/.partial.*' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if [ "${1:-}" = cuda ]; then
        engine cuda "$ONNXRUNTIME_GPU"
        say "use it with LANERT_ENGINES=$DEPS/cuda"
        return
    fi
    engine onnxruntime "$ONNXRUNTIME"
    engine openvino "$OPENVINO"
    say "all is there"
}

main "$@"
