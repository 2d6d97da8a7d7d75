# One door: what a person types, and what CI runs. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# pnpm lives in the checkout, in the version that package.json names: nothing is installed elsewhere.
PNPM_VERSION := $(shell sed -n 's/.*"packageManager": *"pnpm@\([0-9.]*\)".*/\1/p' package.json)
PNPM_HOME := .tools/pnpm-$(PNPM_VERSION)
PNPM := $(PNPM_HOME)/node_modules/.bin/pnpm
export PATH := $(CURDIR)/$(dir $(PNPM)):$(CURDIR)/node_modules/.bin:$(PATH)
# Without a terminal pnpm asks questions that nobody answers, unless it knows that it is CI.
export CI ?= 1

VITEST := vitest run -c packages/tooling/vitest.config.ts
TYPESCRIPT := node --import tsx --conditions=@tq/source
# Packages that have tests; tsc refuses a project without files.
TEST_PROJECTS := $(foreach package,$(wildcard packages/*),$(if $(shell find $(package)/src $(package)/test -name '*.test.ts' -print -quit 2>/dev/null),$(wildcard $(package)/test/tsconfig.json))) packages/tooling/tsconfig.json
PUBLISHED := core broker client worker cli
# The long runs of docs/reliability.md; each has a short version among the tests.
PROOFS := crash-points chaos power-cut full-disk clock partition fuzz corruption soak overload mutants
PROOF = $(TYPESCRIPT) packages/broker/test/$@/main.ts

.PHONY: help install build demo dev tools test sim $(PROOFS) guard bench peers bench-peers coverage check types lint format-check deadcode publint format generate clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf '  make %-13s %s\n' "$$target" "$$text"; done

install: node_modules/.installed ## fetch pnpm and the packages of the lockfile

build: install ## compile everything
	@tsc -b packages

demo: ## real files, two workers, two kills, every result checked (FILES="dir …")
	@begin=$$(date +%s%N); $(MAKE) --no-print-directory install; \
	installed=$$(date +%s%N); $(MAKE) --no-print-directory build; \
	built=$$(date +%s%N); \
	awk -v i=$$((installed - begin)) -v b=$$((built - installed)) \
	  'BEGIN { printf "install %.1f s, build %.1f s; what follows is the work itself\n\n", i / 1e9, b / 1e9 }'; \
	node packages/bench/dist/demo/main.js $(FILES)

dev: build ## a broker and a worker in the foreground, and what to type next
	@$(TYPESCRIPT) packages/tooling/dev.ts

tools: ## the Debian packages that some proofs need (as root); without them those are skipped
	@packages/tooling/install-tools.sh

test: build ## all tests (TESTS="path …" for some)
	@$(TYPESCRIPT) packages/tooling/run-tests.ts $(TESTS)

sim: install ## the simulation: SEED (first), SEEDS (how many), STEPS (events each), TRACE=1 (all lines)
	@$(TYPESCRIPT) packages/broker/test/simulation/main.ts

crash-points: build ## a crash or an error at every port call, file write and system call (MODE=process|signal|error COUNT=)
	@$(PROOF)

chaos: build ## kills, stops and cut connections against a checked history (KILLS= OPERATIONS= SEED= RATE=)
	@$(PROOF)

power-cut: build ## the power goes under a loaded broker, as root (COUNT= SEED=)
	@$(PROOF)

full-disk: build ## the disk fills and is freed, as root (COUNT= SEED=)
	@$(PROOF)

clock: build ## clocks that jump under a running broker (COUNT= SEED=)
	@$(PROOF)

partition: build ## half-open connections and cut networks (COUNT= SEED=)
	@$(PROOF)

fuzz: build ## broken and hostile input (SECONDS= SEED=)
	@$(PROOF)

corruption: build ## damage in every sector of every file of a store (COUNT= JOBS=)
	@$(PROOF)

soak: build ## half load for hours, and what grows (SECONDS= RATE= OUT=)
	@$(PROOF)

overload: build ## twice the load that it can take (SECONDS=)
	@$(PROOF)

mutants: build ## deliberate bugs, and which test catches each (BUG= JOBS=)
	@$(PROOF)

guard: build ## what a task costs against the baseline (COUNT= WRITE=1)
	@$(PROOF)

bench: build ## speed against fresh brokers (PHASE=mixed,drain N=50000 ARGS="--rounds 5 --out a.json", ARGS=--help)
	@node packages/bench/dist/main.js $(if $(PHASE),--phase $(PHASE)) $(if $(N),--tasks $(N)) $(ARGS)

peers: ## the brokers that tq is compared with, from Debian (as root); none is left running
	@packages/bench/install-peers.sh

bench-peers: build ## tq and the installed peers in turns (PEERS=a,b PHASE= N= ROUNDS=5 ARGS="--out f.json")
	@node packages/bench/dist/peers/main.js $(if $(PEERS),--peers $(PEERS)) $(if $(PHASE),--phase $(PHASE)) $(if $(N),--tasks $(N)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

coverage: build ## all tests, with coverage in coverage/
	@$(VITEST) --coverage $(TESTS)

check: types lint format-check deadcode publint ## types, lint and walls, format, dead code, packages

types: build
	@for project in $(TEST_PROJECTS); do tsc -p $$project; done

lint: install
	@oxlint -c packages/tooling/oxlintrc.json --type-aware packages

format-check: install
	@prettier --check --log-level warn .

deadcode: install
	@knip -c packages/tooling/knip.json --no-config-hints --no-progress

publint: build
	@for package in $(PUBLISHED); do publint packages/$$package --strict; done

format: install ## format everything
	@prettier --write --log-level warn .

generate: install ## write config.example.yml and the tables of the docs anew
	@$(TYPESCRIPT) packages/tooling/generate.ts

clean: ## remove what was compiled
	@rm -rf packages/*/dist coverage

node_modules/.installed: $(PNPM) package.json pnpm-workspace.yaml $(wildcard pnpm-lock.yaml packages/*/package.json)
	@$(PNPM) install $(if $(wildcard pnpm-lock.yaml),--frozen-lockfile,--no-frozen-lockfile)
	@touch $@

$(PNPM):
	@npm install --prefix $(PNPM_HOME) --no-audit --no-fund --no-update-notifier --loglevel=error pnpm@$(PNPM_VERSION)
