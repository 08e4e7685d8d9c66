#!/bin/sh
# Puts the ONNX Runtime library at bin/libonnxruntime.so.1, or with --gpu the build for NVIDIA GPUs and its
# provider libraries into bin/gpu/, so that both can lie there. The first lies in the npm package
# onnxruntime-node for x64 and arm64, the second in the PyPI package onnxruntime-gpu for x64. Package and
# libraries are pinned by checksum, so a changed download is refused. Does nothing where the right
# libraries are already in place.
#
#   deploy/fetch-onnxruntime.sh [--gpu] [FOLDER]     FOLDER defaults to bin/, with --gpu bin/gpu/, of the checkout
set -eu

version=1.27.0

fail() { # SENTENCE
	echo "fetch-onnxruntime: $1" >&2
	exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd)
folder=$root/bin
build=cpu
if [ "${1:-}" = --gpu ]; then
	build=gpu folder=$root/bin/gpu
	shift
fi
case ${1:-} in
-*) fail "option $1 is not known; allowed is --gpu" ;;
?*) folder=$1 ;;
esac
mkdir -p "$folder"
folder=$(cd "$folder" && pwd) # another folder is worked in below

# libraries: sha256, name here, path in the package
case $build-$(uname -m) in
cpu-x86_64)
	libraries="d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221 libonnxruntime.so.1 package/bin/napi-v6/linux/x64/libonnxruntime.so.1"
	;;
cpu-aarch64)
	libraries="c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f libonnxruntime.so.1 package/bin/napi-v6/linux/arm64/libonnxruntime.so.1"
	;;
gpu-x86_64)
	libraries="184096f611d6cfff75f5d4cbaf01f76d736ab10d408d335fca0c85e5a79018db libonnxruntime.so.1 onnxruntime/capi/libonnxruntime.so.$version
086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d libonnxruntime_providers_shared.so onnxruntime/capi/libonnxruntime_providers_shared.so
e74df75bf06e670fb75f594f4a7b337c039fdebea3998c91f9f05e6e7b8008a0 libonnxruntime_providers_cuda.so onnxruntime/capi/libonnxruntime_providers_cuda.so
e9ac7843d679d8e34466abddf4875443254fa6ee9c8f19451e761acdc60f3aee libonnxruntime_providers_tensorrt.so onnxruntime/capi/libonnxruntime_providers_tensorrt.so"
	;;
gpu-*) fail "no GPU library is pinned for $(uname -m); allowed is x86_64" ;;
*) fail "no library is pinned for $(uname -m); allowed are x86_64 and aarch64" ;;
esac
case $build in
cpu)
	package=onnxruntime-node-$version.tgz size="about 100 MB" package_tool=sha512sum
	package_sum=404cc6c2bbcd060bf8b8f55d9db1ec3861b81ba4fdea676570523c68028f8cc53cc0e3e956870f5dbea4dd01a46996a0553bf61bd0679dba3a67725d5ebd5f43
	;;
gpu)
	package=onnxruntime_gpu-$version-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl size="about 220 MB" package_tool=sha256sum
	package_sum=404fb845dc06a04a28df5a2c6d5967bcf3f534e7df0b98507ff81686a1b49594
	;;
esac

matches() { # FILE SUM TOOL
	[ -f "$1" ] && [ "$($3 "$1" | cut -d' ' -f1)" = "$2" ]
}

must_match() { # FILE SUM TOOL
	matches "$1" "$2" "$3" || fail "$(basename "$1") has ${3%sum} $($3 "$1" | cut -d' ' -f1); only $2 is allowed"
}

in_place() {
	echo "$libraries" | while read -r sum name _; do
		matches "$folder/$name" "$sum" sha256sum || exit 1
	done
}

if in_place; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "ONNX Runtime $version ($build, $(uname -m)): downloading, $size" >&2
cd "$work"
case $build in
cpu)
	npm pack --silent "onnxruntime-node@$version" >/dev/null
	must_match "$package" "$package_sum" "$package_tool"
	tar -xzf "$package"
	;;
gpu)
	python3 -m venv pip || fail "a Python environment could not be made; python3 with its venv module is needed (Debian: apt-get install python3-venv)"
	# The libraries do not depend on the Python that the package is for: any Python here may fetch it.
	pip/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp --python-version 3.11 \
		--platform manylinux_2_27_x86_64 "onnxruntime-gpu==$version"
	must_match "$package" "$package_sum" "$package_tool"
	echo "$libraries" | while read -r _ _ path; do
		pip/bin/python -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2])' "$package" "$path"
	done
	;;
esac
echo "$libraries" | while read -r sum name path; do
	must_match "$path" "$sum" sha256sum
	# Renamed into place: a run that is cut off leaves no half library behind.
	mv "$path" "$folder/$name.part"
	mv "$folder/$name.part" "$folder/$name"
done
echo "ONNX Runtime $version is at $folder/libonnxruntime.so.1" >&2
