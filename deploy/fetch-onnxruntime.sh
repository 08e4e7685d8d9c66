#!/bin/sh
# Puts the ONNX Runtime library at bin/libonnxruntime.so.1. The library lies in the npm package
# onnxruntime-node for x64 and arm64; package and libraries are pinned by checksum, so a changed
# download is refused. Does nothing where the right library is already in place.
#
#   deploy/fetch-onnxruntime.sh [FOLDER]     FOLDER defaults to bin/ of the checkout
set -eu

version=1.27.0
package_sha512=404cc6c2bbcd060bf8b8f55d9db1ec3861b81ba4fdea676570523c68028f8cc53cc0e3e956870f5dbea4dd01a46996a0553bf61bd0679dba3a67725d5ebd5f43
case $(uname -m) in
x86_64) arch=x64 library_sha256=d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221 ;;
aarch64) arch=arm64 library_sha256=c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f ;;
*)
	echo "fetch-onnxruntime: no library is pinned for $(uname -m); allowed are x86_64 and aarch64" >&2
	exit 1
	;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/bin}
library=$folder/libonnxruntime.so.1

matches() { # FILE SUM TOOL
	[ -f "$1" ] && [ "$($3 "$1" | cut -d' ' -f1)" = "$2" ]
}

if matches "$library" "$library_sha256" sha256sum; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "ONNX Runtime $version ($arch): downloading, about 100 MB" >&2
(cd "$work" && npm pack --silent "onnxruntime-node@$version" >/dev/null)
archive=$work/onnxruntime-node-$version.tgz
if ! matches "$archive" "$package_sha512" sha512sum; then
	echo "fetch-onnxruntime: $(basename "$archive") has sha512 $(sha512sum "$archive" | cut -d' ' -f1); only $package_sha512 is allowed" >&2
	exit 1
fi
member=package/bin/napi-v6/linux/$arch/libonnxruntime.so.1
tar -xzf "$archive" -C "$work" "$member"
if ! matches "$work/$member" "$library_sha256" sha256sum; then
	echo "fetch-onnxruntime: $member has sha256 $(sha256sum "$work/$member" | cut -d' ' -f1); only $library_sha256 is allowed" >&2
	exit 1
fi
mkdir -p "$folder"
# Renamed into place: a run that is cut off leaves no half library behind.
mv "$work/$member" "$library.part"
mv "$library.part" "$library"
echo "ONNX Runtime $version is at $library" >&2
