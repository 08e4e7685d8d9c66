#!/bin/sh
# Builds the container image coilsight:VERSION with docker where its engine answers, else with buildah.
# NODE_IMAGE, GO_IMAGE and RUN_IMAGE replace the bases.
set -eu
cd "$(dirname "$0")/.."
version=$(git describe --tags --always --dirty 2>/dev/null || echo development)
set -- --build-arg "VERSION=$version"
for base in NODE_IMAGE GO_IMAGE RUN_IMAGE; do
	eval "value=\${$base:-}"
	[ -z "$value" ] || set -- "$@" --build-arg "$base=$value"
done
if docker info >/dev/null 2>&1; then
	docker build "$@" -t coilsight:latest -t "coilsight:$version" .
elif command -v buildah >/dev/null; then
	# Health checks exist in the docker format alone.
	buildah build --format docker "$@" -t coilsight:latest -t "coilsight:$version" .
else
	echo "image: neither a docker engine nor buildah is here; install one (Debian: apt-get install buildah)" >&2
	exit 1
fi
