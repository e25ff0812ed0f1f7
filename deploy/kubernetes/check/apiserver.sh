#!/bin/bash
# apiserver.sh FOLDER: builds FOLDER/kube-apiserver, of a fixed version, from Go's module proxy.
set -euo pipefail
mkdir -p "$1"
cd "$1"
version=v1.31.14
export GOFLAGS=-mod=mod GOWORK=off
# Kubernetes replaces its own libraries by folders of its repository, which modules don't contain.
mod=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
{
	printf 'module apiserver\n\ngo 1.23.0\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$version"
	awk -v v="v0.${version#v1.}" '/=> .\/staging/ { print "\t" $1 " => " $1 " " v }' "$mod"
	printf ')\n'
} >go.mod
printf '//go:build tools\n\npackage apiserver\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' >tools.go
go mod tidy
go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version
	-X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=31" \
	-o kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
