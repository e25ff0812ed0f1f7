#!/bin/bash
# test.sh [FOLDER]: builds the image with buildah where neither registry nor container runtime can be reached, and tries it. The base
# images are made by debootstrap; steps run in a chroot. Keeps its files in FOLDER (default a temporary one, removed at
# the end). Needs root, buildah, debootstrap, curl's certificates and Go.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-$(mktemp --directory)}
[ $# -gt 0 ] || trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"
rm -rf "$folder"/*.part
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
storage=(--root "$folder/storage" --runroot "$folder/run")
buildah() { command buildah "${storage[@]}" "$@"; }

# base NAME FOLDER: makes an image of a folder.
base() {
	local container
	container=$(buildah from scratch)
	buildah copy --quiet "$container" "$2" / >/dev/null
	buildah config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
	buildah commit --quiet --rm "$container" "$1" >/dev/null
}

if [ ! -d "$folder/debian" ]; then
	debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/debian.part" >"$folder/debootstrap.log"
	# certificates of this machine, which may stand behind a proxy
	cp /etc/ssl/certs/ca-certificates.crt "$folder/debian.part/etc/ssl/certs/"
	mv "$folder/debian.part" "$folder/debian"
fi
if [ ! -d "$folder/golang" ]; then
	cp --archive "$folder/debian" "$folder/golang.part"
	chroot "$folder/golang.part" sh -c 'apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev git' \
		>"$folder/apt.log"
	mkdir -p "$folder/golang.part/usr/local/go"
	cp --archive "$(go env GOROOT)/." "$folder/golang.part/usr/local/go"
	mv "$folder/golang.part" "$folder/golang"
fi
buildah inspect --type image docker.io/library/debian:bookworm-slim >/dev/null 2>&1 ||
	base docker.io/library/debian:bookworm-slim "$folder/debian"
buildah inspect --type image docker.io/library/golang:1.26-bookworm >/dev/null 2>&1 ||
	base docker.io/library/golang:1.26-bookworm "$folder/golang"

buildah build --pull-never --layers=false --file deploy/image/Containerfile --tag illustrator .

container=$(buildah from --pull-never illustrator)
# No network, not root, nothing writable but /data.
try() { unshare --net buildah "${storage[@]}" run --user 65532:65532 "$container" -- "$@"; }
try sh -c '! touch /usr/local/bin/x 2>/dev/null && test "$(id -u)" = 65532'
try illustrator generate 'a wizard' --seeds 0-1 --out /data/pictures
try illustrator pairs --rows 64 --part 1/2 --out /data/pairs
try sh -c 'test "$(ls /data/pictures/*.png | wc -l)" = 3 && test -f /data/pairs/manifest.json'
buildah rm "$container" >/dev/null
echo "the image works"
