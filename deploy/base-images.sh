#!/bin/sh
# Makes the base images of the Dockerfile from Debian's packages and this machine's Go and Node.js, for
# places without a container registry: coilsight-base/run, coilsight-base/go, coilsight-base/node.
# Needs root, debootstrap and buildah.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" >/dev/null
# Package sources, certificates and client settings of this machine, so that a plant's mirrors are used.
for f in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/ssl/certs; do
	[ -e "$f" ] || continue
	mkdir -p "$work/root$(dirname "$f")"
	cp -a "$f" "$work/root$(dirname "$f")/"
done

base() { # NAME: commits the container in $c
	buildah commit -q --rm "$c" "coilsight-base/$1:latest"
}

c=$(buildah from scratch)
buildah add -q "$c" "$work/root" /
base run

c=$(buildah from coilsight-base/run)
buildah add -q "$c" "$(go env GOROOT)" /usr/local/go
buildah config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	--env "GOPROXY=$(go env GOPROXY)" --env "GONOSUMDB=$(go env GONOSUMDB)" --env "GOSUMDB=$(go env GOSUMDB)" --env GOTOOLCHAIN=local "$c"
base go

c=$(buildah from coilsight-base/run)
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
buildah add -q "$c" "$prefix/bin/node" /usr/local/bin/node
npm_root=$(npm root --global)
buildah add -q "$c" "$npm_root/npm" /usr/local/lib/node_modules/npm
npm config list --json | node -e '
	const c = JSON.parse(require("fs").readFileSync(0)); console.log("registry=" + c.registry)
	if (c.cafile) console.log("cafile=" + c.cafile)' >"$work/npmrc"
buildah add -q "$c" "$work/npmrc" /usr/local/etc/npmrc
buildah run "$c" -- ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
base node
