# `make help` lists the targets. All of them may be run again: what is done is not redone.

GO ?= go
OUT ?= runs/demo
FULL ?= .cache/full
TESTFLAGS ?=
BENCHFLAGS ?=
KILLS ?= 100
LOAD ?= 10000
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# XLA is called through cgo. Outside a git checkout the binary carries no commit.
export CGO_ENABLED := 1
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

.DEFAULT_GOAL := help
.PHONY: help demo test paper paper-quick soak load build setup bench parity-full full-run gpu-check lint fmt tools modules chromium

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: setup ## sample, train and render on the embedded domain into $(OUT)
	./illustrator demo --out $(OUT)

test: setup $(if $(filter -short,$(TESTFLAGS)),,.cache/python/ready .cache/vocabulary/ready chromium) ## run all tests (TESTFLAGS=-short: the quick ones)
	$(GO) test -timeout 30m $(TESTFLAGS) ./...

# What tests open our files with. Without it they are skipped and say so; in CI they fail.
.cache/python/ready: internal/pytools/requirements.txt
	@rm -rf .cache/python
	@if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .cache/python -r $<; then touch $@; else \
		echo "make: warning: pip installed no pyarrow, pandas, DuckDB and TensorBoard: the tests that need them are skipped" >&2; \
	fi

# What opens the pages that we write. Without it their tests are skipped and say so; in CI they fail.
chromium:
	@for name in $${ILLUSTRATOR_CHROMIUM:-chromium chromium-browser google-chrome}; do \
		if command -v "$$name" >/dev/null; then exit; fi; \
	done; \
	echo "make: warning: Chromium is not on your PATH (on Debian or Ubuntu: apt install chromium): the tests of pages are skipped" >&2

# The paper's experiments on the embedded domain. paper-quick has fewer pairs, steps and seeds.
STUDIES := limited open-world diverse manipulation prompts
QUICK := runs/paper-quick
paper: setup ## run and report the paper's experiments, 5 seeds each, into runs/paper
	./illustrator ablate $(STUDIES) losses --out runs/paper

paper-quick: setup ## the same in minutes, with 1 seed, 2 for the losses, and short trainings, into runs/paper-quick
	./illustrator ablate $(STUDIES) --out $(QUICK) --seeds 0 --set pairs.rows=10000
	./illustrator ablate losses --out $(QUICK)/losses --seeds 0-1 --pairs $(QUICK)/pairs-10000 --set pairs.rows=10000 \
		--set train.stages.0.schedule.steps=600 --set train.stages.1.schedule.steps=60

# CLIP's vocabulary, out of a package that is not installed further.
.cache/vocabulary/ready: internal/pytools/vocabulary.txt
	@rm -rf .cache/vocabulary
	@if python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes --target .cache/vocabulary -r $<; then touch $@; else \
		echo "make: warning: pip fetched no CLIP vocabulary: the test that needs it is skipped" >&2; \
	fi

soak: setup ## kill sampling and training $(KILLS) times each and compare with an undisturbed run
	KILLS=$(KILLS) $(GO) test -count=1 -timeout 4h -run TestKill -v ./cmd/illustrator

# Empty flags keep out those with which tests compile fast and compute slowly.
load: setup ## measure the server: throughput, memory over $(LOAD) requests, batches against one picture at a time
	XLA_FLAGS= LOAD=$(LOAD) $(GO) test -count=1 -timeout 2h -run TestLoad -v ./serve

build: modules ## build ./illustrator
	$(GO) build -buildvcs=$(BUILDVCS) -o illustrator ./cmd/illustrator

setup: build ## install XLA's plugin where it is missing, and verify it
	./illustrator setup

# PyTorch is installed (some GB) only where ILLUSTRATOR_PYTHON names no Python that has it.
bench: setup .cache/bench $(if $(filter 1,$(PYTORCH)),$(if $(ILLUSTRATOR_PYTHON),,.cache/pytorch/ready)) ## measure sampling and training; PYTORCH=1 compares with PyTorch
	.cache/bench $(if $(filter 1,$(PYTORCH)),--pytorch) $(BENCHFLAGS)

# Go sees what has changed.
.PHONY: .cache/bench
.cache/bench: modules
	$(GO) build -buildvcs=$(BUILDVCS) -o $@ ./cmd/bench

.cache/pytorch/ready: cmd/bench/compare/requirements.txt
	@if ! python3 -m venv .cache/pytorch; then \
		echo "make: error: python3 makes no virtual environment" >&2; \
		echo "make: hint: install Python with venv (on Debian or Ubuntu: apt install python3-venv), or name a Python that has PyTorch in ILLUSTRATOR_PYTHON" >&2; exit 1; \
	fi
	.cache/pytorch/bin/python -m pip install --quiet -r $<
	@touch $@

# Random weights of full size, in the files of public releases: 6 GB in $(FULL), made once.
FULLPYTHON = $(or $(ILLUSTRATOR_PYTHON),.cache/pytorch/bin/python)
FULLNEEDS = $(if $(ILLUSTRATOR_PYTHON),,.cache/pytorch/full)
parity-full: setup $(FULLNEEDS) ## compare networks of full size with PyTorch; writes docs/parity-full.md
	$(FULLPYTHON) models/convert/testdata/full/make.py $(FULL)
	ILLUSTRATOR_FULL=$(abspath $(FULL)) ILLUSTRATOR_FULL_TABLE=$(CURDIR)/docs/parity-full.md \
		$(GO) test -count=1 -timeout 4h -run TestFullSize -v ./models/convert

full-run: setup $(FULLNEEDS) ## pairs, training, pictures and figures with random weights of full size; writes docs/full-run.md
	$(FULLPYTHON) models/convert/testdata/full/run.py $(FULL) docs/full-run.md

# The tests of parity on the CPU, on the device, and there with TF32; then the benchmark, which writes all of it down. Networks of
# full size are compared where `make parity-full` has left their files. DEVICE=cpu tries the check itself, without a GPU.
DEVICE ?= cuda
GPU ?= .cache/gpu
GPUFLAGS ?=
PARITYON := xla:cpu
ifeq ($(DEVICE),cuda)
PARITYON += xla:cuda,grow xla:cuda,tf32,grow
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

fmt: ## format the code
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

# Go of go.mod's version and a C compiler that finds its headers.
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

# Go's modules, fetched where they are missing. Of a failure's many like lines, three will do.
modules: tools
	@if ! { $(GO) list -deps ./cmd/... 2>&1 >/dev/null; echo "status=$$?"; } | \
		awk '/^status=/ { exit $$0 != "status=0" } /^go: downloading/ || n++ < 3'; then \
		echo "make: error: Go's modules could not be loaded" >&2; \
		echo "make: hint: if the lines above speak of the network, check it, or GOPROXY, and run make again" >&2; exit 1; \
	fi
