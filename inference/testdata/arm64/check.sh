#!/bin/sh
# Builds the kernel for arm64 and runs its check under emulation. It needs Debian's gcc-aarch64-linux-gnu,
# libc6-dev-arm64-cross and qemu-user.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
aarch64-linux-gnu-gcc -O3 -std=c11 -Wall -Wextra -Werror -Wno-unused-function -static -o "$out/check" kernel_check.c
qemu-aarch64 "$out/check"
