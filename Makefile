# `make help` lists the targets. Re-running a target skips completed steps.

GO ?= go
OUT ?= runs/demo$(addprefix -,$(DOMAIN))
FULL ?= .cache/full
TESTFLAGS ?=
BENCHFLAGS ?=
KILLS ?= 100
LOAD ?= 10000
# Packages whose goroutines share memory.
RACE ?= ./serve/... ./checkpoints/fetch ./data/pairs ./data/cartoon ./train/events
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GORELEASER := github.com/goreleaser/goreleaser/v2@v2.14.3

# XLA is called through cgo. Outside a git checkout the binary carries no commit.
export CGO_ENABLED := 1
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

.DEFAULT_GOAL := help
.PHONY: help demo worlds test cluster-test kube-test image-test paper paper-quick soak load build setup bench parity-full full-run gpu-check gpu-compile lint cross race vulncheck docs man snapshot figures fmt \
	tools modules chromium

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: setup ## sample, train and render on an embedded domain, Lorelei or DOMAIN, into $(OUT)
	./illustrator demo $(addprefix --domain ,$(DOMAIN)) --out $(OUT)

test: setup $(if $(filter -short,$(TESTFLAGS)),,.cache/python/ready .cache/vocabulary/ready chromium) ## run all tests (TESTFLAGS=-short: the quick ones)
	$(GO) test -timeout 30m $(TESTFLAGS) ./...

# Python tools that open this project's files in tests. Without them those tests are skipped and say so; in CI they fail.
.cache/python/ready: internal/pytools/requirements.txt
	@rm -rf .cache/python
	@if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .cache/python -r $<; then touch $@; else \
		echo "make: warning: pip did not install pyarrow, pandas, DuckDB and TensorBoard: tests that need them are skipped" >&2; \
	fi

# Chromium opens this project's pages in tests. Without it those tests are skipped and say so; in CI they fail.
chromium:
	@for name in $${ILLUSTRATOR_CHROMIUM:-chromium chromium-browser google-chrome}; do \
		if command -v "$$name" >/dev/null; then exit; fi; \
	done; \
	echo "make: warning: Chromium is not on your PATH (on Debian or Ubuntu: apt install chromium): tests of pages are skipped" >&2

# The paper's experiments on an embedded domain: Lorelei, or DOMAIN. paper-quick has fewer pairs, steps and seeds.
STUDIES := limited open-world diverse manipulation prompts
QUICK := runs/paper-quick
# A seed of losses takes 25 to 40 minutes on 2 busy cores; cells resume, so it may take a night.
paper: setup ## run the paper's experiments with 5 seeds each (DOMAIN=NAME: 3), and report them in runs/paper
	./illustrator ablate $(STUDIES) losses steps --out runs/paper$(if $(DOMAIN),-$(DOMAIN) --domain $(DOMAIN) --seeds 0-2)

paper-quick: setup ## the same in minutes: 1 seed (losses: 2), short trainings, into runs/paper-quick
	./illustrator ablate $(STUDIES) --out $(QUICK) --seeds 0 --set pairs.rows=10000
	./illustrator ablate losses --out $(QUICK)/losses --seeds 0-1 --pairs $(QUICK)/pairs-10000 --set pairs.rows=10000 \
		--set train.stages.0.schedule.steps=600 --set train.stages.1.schedule.steps=60

# CLIP's vocabulary, from a package whose code is not used.
.cache/vocabulary/ready: internal/pytools/vocabulary.txt
	@rm -rf .cache/vocabulary
	@if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes --target .cache/vocabulary -r $<; then touch $@; else \
		echo "make: warning: pip did not fetch CLIP's vocabulary: the test that needs it is skipped" >&2; \
	fi

soak: setup ## kill sampling and training $(KILLS) times each and compare with undisturbed runs
	KILLS=$(KILLS) $(GO) test -count=1 -timeout 4h -run TestKill -v ./cmd/illustrator

cluster-test: build ## run the Slurm templates on a cluster of one node (Debian: slurm-wlm munge), as root
	CLUSTER=1 $(GO) test -count=1 -timeout 1h -v ./deploy/slurm

kube-test: ## check the Kubernetes jobs; KUBE_APISERVER=FILE adds a dry run on a real server (apiserver.sh builds one)
	cd deploy/kubernetes/check && $(GO) test -count=1 ./...

image-test: ## build the container image with buildah, without a registry, and try it (Debian: buildah debootstrap), as root
	deploy/image/test.sh

# Empty flags replace the tests' own, with which programs compile fast and compute slowly.
load: setup ## measure the server: throughput, memory over $(LOAD) requests, batches against one picture at a time
	XLA_FLAGS= LOAD=$(LOAD) $(GO) test -count=1 -timeout 2h -run TestLoad -v ./serve

WORLDS ?= .cache/worlds
WORLDSFLAGS ?=
worlds: setup ## make the networks of the embedded domains in $(WORLDS); resumes (WORLDSFLAGS="--domain NAME --stage NAME")
	$(GO) build -buildvcs=$(BUILDVCS) -o .cache/worlds-command ./cmd/worlds
	.cache/worlds-command --out $(WORLDS) $(WORLDSFLAGS)

build: modules ## build ./illustrator
	$(GO) build -buildvcs=$(BUILDVCS) -o illustrator ./cmd/illustrator

setup: build ## install XLA's plugin if it is missing, and verify it
	./illustrator setup

# PyTorch (some GB) is installed unless ILLUSTRATOR_PYTHON names a Python that has it.
bench: setup .cache/bench $(if $(filter 1,$(PYTORCH)),$(if $(ILLUSTRATOR_PYTHON),,.cache/pytorch/ready)) ## measure sampling and training; PYTORCH=1 compares with PyTorch
	.cache/bench $(if $(filter 1,$(PYTORCH)),--pytorch) --out docs/bench.json $(BENCHFLAGS)

# Go decides whether to rebuild.
.PHONY: .cache/bench
.cache/bench: modules
	$(GO) build -buildvcs=$(BUILDVCS) -o $@ ./cmd/bench

.cache/pytorch/ready: cmd/bench/compare/requirements.txt
	@if ! python3 -m venv .cache/pytorch; then \
		echo "make: error: python3 makes no virtual environment" >&2; \
		echo "make: hint: install Python with venv (on Debian or Ubuntu: apt install python3-venv), or set ILLUSTRATOR_PYTHON to a Python with PyTorch" >&2; exit 1; \
	fi
	.cache/pytorch/bin/python -m pip install --quiet -r $<
	@touch $@

# Random weights of full size in the layouts of public releases: 6 GB in $(FULL), made once.
FULLPYTHON = $(or $(ILLUSTRATOR_PYTHON),.cache/pytorch/bin/python)
FULLNEEDS = $(if $(ILLUSTRATOR_PYTHON),,.cache/pytorch/full)
parity-full: setup $(FULLNEEDS) ## compare networks of full size with PyTorch; writes docs/parity-full.md
	$(FULLPYTHON) models/convert/testdata/full/make.py $(FULL)
	ILLUSTRATOR_FULL=$(abspath $(FULL)) ILLUSTRATOR_FULL_TABLE=$(CURDIR)/docs/parity-full.md \
		$(GO) test -count=1 -timeout 4h -run TestFullSize -v ./models/convert

full-run: setup $(FULLNEEDS) ## pairs, training, pictures and figures with random weights of full size; writes docs/full-run.md
	$(FULLPYTHON) models/convert/testdata/full/run.py $(FULL) docs/full-run.md

# Runs the tests of parity on the CPU, on the device, and there with TF32; then the benchmark, which writes the document.
# Networks of full size are compared if `make parity-full` has made their files. DEVICE=cpu tries the check without a GPU.
DEVICE ?= cuda
GPU ?= .cache/gpu
GPUFLAGS ?=
PARITYON := xla:cpu
ifeq ($(DEVICE),cuda)
PARITYON += xla:cuda,preallocate=false xla:cuda,tf32,preallocate=false
endif
gpu-check: setup .cache/bench $(if $(ILLUSTRATOR_PYTHON),,.cache/pytorch/ready) ## compare a CUDA device with PyTorch: parity, speed, memory; writes docs/gpu.md
	.cache/bench gpu --device $(DEVICE) --check
	@rm -rf $(GPU)/parity && mkdir -p $(GPU)/parity
	@status=0; for backend in $(PARITYON); do \
		echo "parity on $$backend"; \
		full=; case $$backend in xla:cuda*) full=$(wildcard $(abspath $(FULL)));; esac; \
		XLA_FLAGS= ILLUSTRATOR_TEST_BACKEND=$$backend ILLUSTRATOR_PARITY=$(abspath $(GPU))/parity ILLUSTRATOR_FULL=$$full \
			$(GO) test -count=1 -p 1 -timeout 4h -run '^(TestDeviceParity|TestFullSize)$$' ./train ./models/convert || status=1; \
	done; \
	.cache/bench gpu --device $(DEVICE) --parity $(GPU)/parity --out $(if $(filter cuda,$(DEVICE)),docs/gpu.md,$(GPU)/$(DEVICE).md) $(GPUFLAGS) && exit $$status

# The CUDA plugin with NVIDIA's libraries (2 GB) is installed on any linux/amd64; nothing is run. About an hour on two cores; a
# second run compiles only what changed. PLUGIN names another CUDA plugin.
PLUGIN ?=
COMPILEFLAGS ?=
gpu-compile: setup ## compile every program for A100, H100 and H200, without a GPU; writes docs/gpu-compiled.md
	$(if $(PLUGIN),,./illustrator setup --cuda=13)
	$(GO) build -buildvcs=$(BUILDVCS) -o .cache/gpucompile ./cmd/gpucompile
	.cache/gpucompile $(if $(PLUGIN),--plugin $(PLUGIN)) $(COMPILEFLAGS)

.cache/pytorch/full: models/convert/testdata/full/requirements.txt .cache/pytorch/ready
	.cache/pytorch/bin/python -m pip install --quiet -r $<
	@touch $@

lint: modules ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then \
		echo "make: error: not formatted:" $$unformatted >&2; echo "make: hint: run \`make fmt\`" >&2; exit 1; \
	fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

cross: modules ## go vet for Windows and macOS, without cgo
	CGO_ENABLED=0 GOOS=windows $(GO) vet ./...
	CGO_ENABLED=0 GOOS=darwin $(GO) vet ./...

race: setup ## test the concurrent packages under the race detector
	$(GO) test -race -short -timeout 20m $(RACE)

vulncheck: modules ## look for known vulnerabilities; skipped if the database is not reachable
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); status=$$?; echo "$$out"; \
	case "$$out" in *"fetching vulnerabilities:"*) \
		echo "make: warning: the vulnerability database is not reachable: nothing was checked" >&2; exit 0;; \
	esac; exit $$status

## schemas: writes the JSON Schemas of YAML files and docs/configuration.md
schemas:
	go test ./configs -run TestSchemas -schemas

docs: ## generate the reference of commands, docs/cli/reference.md, from the program's help
	$(GO) test -count=1 -run TestReference ./cmd/illustrator -reference

man: ## generate man pages into man/
	$(GO) test -count=1 -run TestManPages ./cmd/illustrator -man $(CURDIR)/man

snapshot: tools ## build a release's archive for Linux without publishing, into dist/
	$(GO) run $(GORELEASER) release --snapshot --clean

figures: ## write the figures of docs/figures.json into the documents
	$(GO) test -count=1 -run TestFigures ./docs -update

fmt: ## format the code
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

# Checks for Go of go.mod's version and a C compiler that finds its headers.
tools:
	@need=$$(sed -n 's/^go //p' go.mod); \
	if ! command -v $(GO) >/dev/null; then \
		echo "make: error: Go is not on your PATH" >&2; \
		echo "make: hint: install Go $$need or newer: https://go.dev/doc/install" >&2; exit 1; \
	fi; \
	if ! have=$$($(GO) env GOVERSION) || \
		[ "$$(printf '%s\n' "$$need" "$${have#go}" | sort -V | head -n 1)" != "$$need" ]; then \
		echo "make: error: Go is $${have:-too old}; $$need or newer is needed" >&2; \
		echo "make: hint: install it from https://go.dev/dl, or set GOTOOLCHAIN=auto to let Go fetch it" >&2; exit 1; \
	fi; \
	cc=$$($(GO) env CC); \
	if ! echo '#include <stdlib.h>' | $$cc -E - >/dev/null 2>&1; then \
		echo "make: error: no working C compiler: '$$cc' does not find <stdlib.h>" >&2; \
		echo "make: hint: install gcc (on Debian or Ubuntu: apt install gcc libc6-dev), or set CC" >&2; exit 1; \
	fi

# Fetches missing Go modules. Of a failure's similar lines it prints three.
modules: tools
	@if ! { $(GO) list -deps ./cmd/... 2>&1 >/dev/null; echo "status=$$?"; } | \
		awk '/^status=/ { exit $$0 != "status=0" } /^go: downloading/ || n++ < 3'; then \
		echo "make: error: Go's modules could not be loaded" >&2; \
		echo "make: hint: if the lines above name the network, check it, or GOPROXY, and run make again" >&2; exit 1; \
	fi
