# Coilsight. `make run` and `make test` set up everything they need; both are quick the second time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
TOOLS := $(CURDIR)/build/tools
UI_SOURCES := $(shell find web/ui -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test-results/*' 2>/dev/null)
GO_SOURCES := $(shell find . -type f \( -name '*.go' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' \) -not -path '*/node_modules/*' 2>/dev/null)
BUNDLES := $(shell find models/bundles deploy -type f 2>/dev/null)

# What the build needs of the distribution, and what the tests need beside it.
BUILD_PACKAGES := build-essential pkg-config ca-certificates curl libopencv-core-dev libopencv-imgproc-dev libopencv-calib3d-dev \
  libaravis-dev libusb-1.0-0-dev # Aravis asks for USB's description and does not bring it
TEST_PACKAGES := ffmpeg poppler-utils chromium python3 python3-venv aravis-tools iproute2
ARM64_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user

GOFUMPT := mvdan.cc/gofumpt@v0.9.2
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- set-up ---------------------------------------------------------------------------------------

.PHONY: setup
setup: build/.packages bin/libonnxruntime.so.1 build/.node ## system packages, ONNX Runtime, UI packages

# install brings what is missing of some packages of the distribution.
define install
@mkdir -p build
@missing=(); for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing+=($$p); done; \
if (($${#missing[@]})); then $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$${missing[@]}"; fi
@touch $@
endef

build/.packages: Makefile
	$(call install,$(BUILD_PACKAGES))

build/.test-packages: Makefile
	$(call install,$(TEST_PACKAGES))

build/.arm64-packages: Makefile
	$(call install,$(ARM64_PACKAGES))

bin/libonnxruntime.so.1: deploy/fetch-onnxruntime.sh
	@sh deploy/fetch-onnxruntime.sh && touch $@

.PHONY: onnxruntime
onnxruntime: ## ONNX Runtime into bin/; with GPU=1 its build for NVIDIA GPUs into bin/gpu/
	@sh deploy/fetch-onnxruntime.sh $(if $(filter 1,$(GPU)),--gpu)

build/.node: web/ui/package-lock.json
	@mkdir -p build
	@cd web/ui && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-fund --no-audit --loglevel=error
	@touch $@

build/.python: models/training/requirements.txt
	@mkdir -p build
	@cd models/training && python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(TOOLS)/gofumpt $(TOOLS)/golangci-lint: Makefile
	@GOBIN=$(TOOLS) go install $(GOFUMPT)
	@GOBIN=$(TOOLS) go install $(GOLANGCI)

# --- build and run --------------------------------------------------------------------------------

web/ui/dist/index.html: build/.node $(UI_SOURCES)
	@cd web/ui && npm run --silent build
	@touch web/ui/dist/.keep $@

bin/coilsight: build/.packages web/ui/dist/index.html go.mod go.sum $(GO_SOURCES) $(BUNDLES)
	@go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $@ ./cmd/coilsight

.PHONY: build
build: bin/coilsight bin/libonnxruntime.so.1 ## the binary at bin/coilsight

.PHONY: run
run: build ## the appliance on its embedded default
	@exec bin/coilsight run $(ARGS)

# --- tests ----------------------------------------------------------------------------------------

# Fake cameras stand on loopback addresses of their own.
.PHONY: loopback
loopback: build/.test-packages
	@for a in 127.0.0.2 127.0.0.3 127.0.0.{21..26}; do [ -n "$$(ip -o address show dev lo to $$a/32)" ] || $(SUDO) ip address add $$a/8 dev lo; done

.PHONY: test
test: setup build/.test-packages loopback build ## all tests
	cd web/ui && npm run --silent test
	cd web/ui && npm run --silent e2e
	go test ./...
	CGO_CFLAGS='-O2 -g -DCOILSIGHT_PLAIN' go test ./inference -run Equals # what runs without AVX2

.PHONY: arm64
arm64: build/.arm64-packages ## the detector's arm64 kernel, under emulation
	@inference/testdata/arm64/check.sh

.PHONY: check
check: setup build/.test-packages loopback build/.python web/ui/dist/index.html $(TOOLS)/gofumpt $(TOOLS)/golangci-lint ## formatting, lint, imports, race tests
	@test -z "$$($(TOOLS)/gofumpt -l $$(git ls-files '*.go'))" || { echo 'not gofumpt-clean:'; $(TOOLS)/gofumpt -l $$(git ls-files '*.go'); exit 1; }
	go mod tidy -diff
	go vet ./...
	$(TOOLS)/golangci-lint run ./...
	cd web/ui && npm run --silent check
	cd models/training && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/pytest -q
	go test -race -short ./... # what only renders more strip runs whole in make test

.PHONY: fuzz
fuzz: setup ## each fuzz target for FUZZTIME (default 30s)
	@for d in $$(git grep -lE '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
	  for f in $$(git grep -hoE '^func Fuzz\w+' -- $$d/*_test.go | sed 's/func //'); do \
	    echo "$$d $$f"; go test ./$$d -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s}; done; done

.PHONY: bench
bench: build build/.test-packages ## the figures of docs/benchmarks.md
	@bin/coilsight bench $(ARGS)
	@echo 'coil page in the browser, 200,000 defects:'; go test ./web -run TestWorstCoil -count=1 -v | grep -E 'first screen|frames,|^--- |FAIL'
	@echo 'live pages in the browser:'; cd web/ui && COILSIGHT_DRAWING=1 COILSIGHT_URL=none npx playwright test drawing | grep -E 'frames in|failed|✘'

.PHONY: screens
screens: build build/.test-packages ## the pictures of the guides, docs/screens, from the simulated mill
	@data=$$(mktemp -d); trap 'kill $$pid; wait $$pid; rm -rf $$data' EXIT; \
	printf 'listen: 127.0.0.1:8094\ndata: %s\nmill: {speed_mps: 15, coil_length_m: [60, 90], defects_per_100m: 6}\n' $$data >$$data/coilsight.yaml; \
	bin/coilsight run --config $$data/coilsight.yaml & pid=$$!; \
	until curl -sf http://127.0.0.1:8094/readyz >/dev/null; do sleep 0.5; done; sleep 120; \
	cd web/ui && COILSIGHT_URL=http://127.0.0.1:8094 COILSIGHT_SCREENS=../../docs/screens npx playwright test guide

# --- image ----------------------------------------------------------------------------------------

.PHONY: image
image: ## the container image, with docker or buildah
	@deploy/image.sh

.PHONY: train
train: build build/.python ## train a bundle: make train DATASET=xsdd OUT=bundle
	@deploy/train.sh

.PHONY: clean
clean: ## remove what was built; the record stays
	rm -rf bin build web/ui/node_modules
	find web/ui/dist -mindepth 1 -not -name .keep -delete
