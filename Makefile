SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
PNPM_VERSION := $(shell sed -n 's/.*"packageManager": *"pnpm@\([0-9.]*\)".*/\1/p' package.json)
PNPM := .tools/pnpm-$(PNPM_VERSION)/node_modules/.bin/pnpm
export PATH := $(CURDIR)/$(dir $(PNPM)):$(CURDIR)/node_modules/.bin:$(PATH)
export CI ?= 1
.PHONY: install build test
build: install
	@tsc -b packages
test: build
	@vitest run -c packages/tooling/vitest.config.ts
install: node_modules/.installed
node_modules/.installed: $(PNPM) package.json pnpm-workspace.yaml $(wildcard pnpm-lock.yaml packages/*/package.json)
	@$(PNPM) install $(if $(wildcard pnpm-lock.yaml),--frozen-lockfile,--no-frozen-lockfile)
	@touch $@
$(PNPM):
	@npm install --prefix .tools/pnpm-$(PNPM_VERSION) --no-audit --no-fund --no-update-notifier --loglevel=error pnpm@$(PNPM_VERSION)
