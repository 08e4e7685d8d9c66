#!/bin/sh
# Makes the base images of the Dockerfile from Debian's packages and this machine's Go and Node.js, for
# places without a container registry: coilsight-base/run, coilsight-base/go, coilsight-base/node.
# Needs root, debootstrap and buildah, on a machine that takes its own packages from Debian bookworm.
set -eu
suite=bookworm
for tool in debootstrap buildah go node npm; do
	command -v "$tool" >/dev/null || { echo "base-images: $tool is not installed" >&2; exit 1; }
done
work=$(mktemp -d)
c=
trap '[ -z "$c" ] || buildah rm "$c" >/dev/null 2>&1; rm -rf "$work"' EXIT

# The sources apt uses here, Debian's alone: a plant's mirror is used, another vendor's repository is not.
targets() { # FORMAT FILTER...
	format=$1
	shift
	apt-get indextargets --format "$format" 'Created-By: Packages' 'Origin: Debian' "$@" | sort -u
}
mirror=$(targets '$(REPO_URI)' "Codename: $suite" | head -n 1)
if [ -z "$mirror" ]; then
	echo "base-images: apt lists no source for Debian $suite here; add one and run apt-get update" >&2
	exit 1
fi
debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/root" "$mirror" >"$work/log" 2>&1 || {
	tail -n 20 "$work/log" >&2
	exit 1
}
targets 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' | grep " $suite" >"$work/root/etc/apt/sources.list"
# How this machine reaches them: proxies, checks of dates, credentials, certificates.
apt-config dump | grep -E '^Acquire::(https?|Check-|Retries)' >"$work/root/etc/apt/apt.conf.d/90machine" || true
for f in /etc/apt/auth.conf.d /usr/local/share/ca-certificates; do
	[ ! -d "$f" ] || cp -a "$f/." "$work/root$f/"
done
chroot "$work/root" update-ca-certificates >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	exit 1
}
rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/*

base() { # NAME: commits the container in $c
	buildah commit -q --format docker --rm "$c" "coilsight-base/$1:latest" >/dev/null
	c=
	echo "coilsight-base/$1" >&2
}

c=$(buildah from scratch)
buildah add -q "$c" "$work/root" / >/dev/null
base run

c=$(buildah from coilsight-base/run)
buildah add -q "$c" "$(go env GOROOT)" /usr/local/go >/dev/null
buildah config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$c"
for name in GOPROXY GONOPROXY GOSUMDB GONOSUMDB; do
	value=$(go env "$name")
	[ -z "$value" ] || buildah config --env "$name=$value" "$c"
done
buildah config --env GOTOOLCHAIN=local "$c"
base go

c=$(buildah from coilsight-base/run)
buildah add -q "$c" "$(readlink -f "$(command -v node)")" /usr/local/bin/node >/dev/null
buildah add -q "$c" "$(npm root --global)/npm" /usr/local/lib/node_modules/npm >/dev/null
# The registry as npm sees it here; the certificates are the ones copied above.
{
	echo "registry=$(npm config get registry)"
	echo "cafile=/etc/ssl/certs/ca-certificates.crt"
} >"$work/npmrc"
buildah add -q "$c" "$work/npmrc" /usr/local/etc/npmrc >/dev/null
buildah run "$c" -- ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
base node
