# `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
ARCHITECTURE ?= arm64
# Runs of each fuzz target: about ten seconds. A number, because Go 1.26 can fail at the end of a duration (golang/go#75804).
FUZZTIME ?= 20000x
SAM ?= sam
export SAM_CLI_TELEMETRY ?= 0

# The only place that holds the build flags. The binaries are static, and have the same bytes from any folder on any day: without
# -buildvcs=false they would differ between a clone and the copy that SAM builds in. The tags leave out net/rpc and HTTP/2, which
# nothing here uses.
BUILD_FLAGS := -trimpath -buildvcs=false -tags lambda.norpc,nethttpomithttp2 -ldflags='-s -w -buildid='
# $(call compile,<package>,<file>)
compile = cd '$(ROOT)' && CGO_ENABLED=0 go build $(BUILD_FLAGS) -o '$(2)' './$(1)'

# Each folder in functions/ is a function.
FUNCTIONS := $(patsubst $(ROOT)/functions/%/,%,$(wildcard $(ROOT)/functions/*/))

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z0-9-]+):.*## /\1\t/p' '$(ROOT)/Makefile' | while IFS=$$'\t' read -r target text; do printf '  make %-13s %s\n' "$$target" "$$text"; done

# The variables that make was given.
GIVEN = $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $v)),$v))

# A shell often exports DATABASE_URL for another program. make run writes rows, so it takes the variable from its command line alone.
.PHONY: run
run: functions ## Show sign-ins end to end on this machine, with Go alone (EVENT=<file or folder>; settings: ROLES=staff=editor)
	@DATABASE_URL='$(if $(filter DATABASE_URL,$(GIVEN)),$(DATABASE_URL))' go run ./local -functions .build $(if $(EVENT),-event '$(EVENT)') -variables '$(GIVEN)'

# Programs of its own: a make run beside it builds those in .build anew.
.PHONY: play
play: BUILT := .build/play
play: functions command-line ## Try the functions on a local page, with users, groups and settings of your own (PORT=8080; settings: ROLES=staff=editor)
	@go build -o .build/play/play ./local/play && exec .build/play/play -functions $(BUILT) $(if $(PORT),-port '$(PORT)') -variables '$(GIVEN)'

.PHONY: faults
faults: functions ## Run the functions while services are at fault (shorter: FAULTS='-signins 200 -environments 10'; FAULTS='-drain 10000')
	@go run ./proof/faults -functions .build $(FAULTS)

.PHONY: test
test: ## Run every test under the race detector; fails below 90 % coverage
	@.ci/test

.PHONY: cover
cover: test ## The same, then show the covered lines in a browser
	@go tool cover -html=coverage/profile

.PHONY: bench
bench: ## Measure cold starts and warm calls beside other programs, on Linux (ROUNDS=20; DOCS=1 also writes docs/performance.md; RECONCILE=1: reconcile)
	@$(if $(RECONCILE),$(if $(DOCS),RECONCILE_DOCS='$(CURDIR)/docs') go test -run '^$$' -bench Reconcile -benchtime 1x -timeout 30m ./proof/bench,go run ./proof/bench $(if $(ROUNDS),-rounds '$(ROUNDS)') $(if $(DOCS),-docs docs))

.PHONY: record
record: ## Record the functions' size and packages, after they grew on purpose
	@GOTOOLCHAIN=$$(sed -n 's/^toolchain //p' go.mod) go test -count=1 ./proof/binaries -run TestBinariesDoNotGrow -update

.PHONY: e2e-deps
e2e-deps: ## Install what make e2e and e2e-play need: SAM, emulators of AWS and Cognito, PostgreSQL, Docker, Chromium
	@.ci/e2e-deps

.PHONY: e2e
e2e: ## Test with software of others: SAM CLI, Docker, emulators of AWS and Cognito, PostgreSQL (E2E_SKIP=docker)
	@go build -o .aws-sam/e2e/e2e ./proof/e2e && exec .aws-sam/e2e/e2e

.PHONY: e2e-play
e2e-play: functions command-line ## Test the page of make play in headless Chromium; pictures are in .build/play (PAGES=users,tokens; DOCS=1 also writes docs/play.png)
	@go build -o .build/play/play ./local/play && go run ./proof/play $(if $(PAGES),-pages '$(PAGES)') $(if $(DOCS),-docs docs)

.PHONY: e2e-own-table
e2e-own-table: ## Use five other users tables in copies of this repository, as docs/own-table.md says; needs PostgreSQL (EXAMPLES=a,b)
	@EXAMPLES='$(EXAMPLES)' PACKAGES='$(PACKAGES)' go run ./proof/own-table

.PHONY: e2e-hasura
e2e-hasura: ## Compare the Hasura stand-in with the real Hasura of compose.yaml; exits with 3 if the images cannot be pulled
	@.ci/e2e-hasura

.PHONY: fuzz
fuzz: ## Fuzz every fuzz target a little (longer: FUZZTIME=1000000x)
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' functions pkg local | while IFS=: read -r file function; do \
		echo "$${function#func } in $$(dirname "$$file")"; \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${function#func }\$$" -fuzztime $(FUZZTIME) </dev/null; \
	done

need_sam = command -v $(SAM) >/dev/null || { echo 'There is no SAM CLI here: $(1). Install it: pip install aws-sam-cli==1.164.0'; exit 1; }

.PHONY: check
check: ## Check what CI checks beside the tests: format, vet, staticcheck, go.mod, generated code, Terraform, template
	@unformatted=$$(gofmt -l */) && test -z "$$unformatted" || { echo "not formatted by gofmt: $$unformatted"; exit 1; }
	@go vet ./...
	@go tool staticcheck ./...
	@go tool actionlint
	@go mod tidy -diff
	@mkdir -p .build && cp pkg/hasura/generated.go .build/ && $(MAKE) generate && cmp pkg/hasura/generated.go .build/generated.go
	@deploy/terraform/check
	@$(call need_sam,template.yaml is not checked without it)
	@$(SAM) validate --lint
	@.ci/lint $(SAM)

.PHONY: generate
generate: ## Generate what follows from graphql/, pkg/users/description.go, template.yaml and cmd/
	@go run ./graphql/generate
	@go tool genqlient graphql/genqlient.yaml
	@go test -count=1 ./deploy -run TestTerraformMonitoring -update
	@go test -count=1 ./local/stack -run TestSyncs -update
	@go test -count=1 ./cmd/hasura-cognito -run TestCommandLinePage -update

.PHONY: build
build: ## Build the functions as they are deployed, into .build/<architecture>/ (ARCHITECTURE=arm64 or x86_64)
	@for function in $(FUNCTIONS); do \
		$(MAKE) -C 'arch/$(ARCHITECTURE)' -f '$(ROOT)/Makefile' ARTIFACTS_DIR="$(ROOT)/.build/$(ARCHITECTURE)/$$function" "build-$$function"; \
	done
	@echo 'built for $(ARCHITECTURE), in .build/$(ARCHITECTURE)/'

# SAM calls build-<logical id>: build-HasuraCognitoTrigger builds functions/hasura-cognito-trigger. SAM does not say for which
# architecture (aws/aws-sam-cli#3349), but runs make in the WorkingDirectory of template.yaml, which is named after it.
-include $(CURDIR)/go.mk
build-%: export GOOS = linux
build-%: export GOARCH := $(GOARCH)
build-%:
	@$(call compile,functions/$(shell echo '$*' | sed -E 's/([a-z])([A-Z])/\1-\2/g' | tr A-Z a-z),$(ARTIFACTS_DIR)/bootstrap)

BUILT := .build
# Built for this machine. Tests call compile: PACKAGE=functions/hasura-cognito-trigger OUTPUT=/tmp/bootstrap
.PHONY: functions
functions:
	@test -d .build || echo 'Building the functions. The first time, this takes a minute or two.'
	@$(foreach function,$(FUNCTIONS),$(call compile,functions/$(function),$(BUILT)/$(function)/bootstrap) &&) true

.PHONY: command-line
command-line:
	@$(call compile,cmd/hasura-cognito,$(BUILT)/hasura-cognito)

.PHONY: compile
compile:
	@$(call compile,$(PACKAGE),$(OUTPUT))

.PHONY: release
release: ## Build a release into dist/: zips and template, command line, checksums, SBOM, licences (VERSION=1.2.3)
	@rm -rf '$(ROOT)/dist'
	@$(MAKE) build ARCHITECTURE=arm64 && $(MAKE) build ARCHITECTURE=x86_64
	@$(foreach system,$(SYSTEMS),$(call command,$(system));)
	@go run ./deploy/release -built .build -out dist $(if $(VERSION),-version '$(VERSION)')

# The systems that a release has the command line for, and how it is built for one of them.
SYSTEMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64.exe windows-arm64.exe
command = export GOOS=$(word 1,$(subst -, ,$(1))) GOARCH=$(basename $(word 2,$(subst -, ,$(1)))); \
	$(subst -buildid=,-buildid= -X main.release=$(VERSION),$(call compile,cmd/hasura-cognito,dist/hasura-cognito-$(1)))

.PHONY: attach
attach: ## Put the functions on a user pool's triggers; without --apply, show the change (USER_POOL_ID=us-east-1_ExaMPle01 PREFIX=acme-prod ARGS=--apply)
	@go run ./cmd/hasura-cognito attach $(if $(USER_POOL_ID),--pool '$(USER_POOL_ID)') $(if $(PREFIX),--prefix '$(PREFIX)') $(ARGS)

.PHONY: doctor
doctor: ## Check a deployment from the outside, with hints (USER_POOL_ID=us-east-1_ExaMPle01 ARGS=--json)
	@go run ./cmd/hasura-cognito doctor $(if $(USER_POOL_ID),--pool '$(USER_POOL_ID)') $(ARGS)

.PHONY: reconcile
reconcile: ## Make the users table equal to the pool; without --apply, say what differs (USER_POOL_ID=us-east-1_ExaMPle01 ARGS=--apply)
	@go run ./cmd/hasura-cognito reconcile $(if $(USER_POOL_ID),--pool '$(USER_POOL_ID)') $(ARGS)

.PHONY: smoke
smoke: ## Sign a throwaway user in to a deployment, check tokens and row, delete both (USER_POOL_ID=us-east-1_ExaMPle01 CLIENT_ID=…)
	@go run ./cmd/hasura-cognito smoke $(if $(USER_POOL_ID),--pool '$(USER_POOL_ID)') $(if $(CLIENT_ID),--client-id '$(CLIENT_ID)') $(ARGS)

.PHONY: check-table
check-table: ## Check whether Hasura's users table fits pkg/users, and print its schema (HASURA=http://127.0.0.1:8080 ARGS='--print-schema graphql/schema.graphql')
	@go run ./cmd/hasura-cognito check-table --hasura '$(HASURA)' $(ARGS)

.PHONY: invoke
invoke: FUNCTION ?= HasuraCognito$(if $(findstring pre-token-generation,$(EVENT)),Trigger,$(if $(findstring sqs/,$(EVENT)),ReplaySyncs,SyncUsers))
invoke: ## Run one event in a container, after sam build; fails when the function fails (EVENT=events/post-authentication.json)
	@test -n '$(EVENT)' || { echo 'EVENT: missing. Example: make invoke EVENT=events/post-authentication.json'; exit 1; }
	@$(call need_sam,make invoke runs the function with it)
	@answer=$$($(SAM) local invoke '$(FUNCTION)' --event '$(EVENT)' --parameter-overrides Architecture=$(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64) $(SAM_FLAGS)); \
	 echo "$$answer"; \
	 case "$$answer" in '{"errorMessage"'* | '{"errorType"'*) exit 1;; '{'*) ;; *) echo 'no answer'; exit 1;; esac
