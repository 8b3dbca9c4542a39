# Make targets for a fleet: `include` this file, and every image has its targets.
#
#   include $(shell argosy-mk)            # with argosy installed
#
# Variables on make's command line or in the environment reach the tasks through [env] in build.toml:
#   make DOCKER_TAGS=v1.0.0 container-build
# ARGOSY is what runs the tasks (inv, where a tasks.py takes them up); FLAGS is handed on:
#   make container-build FLAGS=--keep-going
#   make container-build FLAGS='--images team/api'     # make's patterns end at a slash
# ARGOSY_FIRST names targets of your own Makefile that must be done before any of these.

ARGOSY ?= argosy
FLAGS ?=
ARGOSY_FIRST ?=

.PHONY: container-build container-push container-test container-pull container-clean container-save container-load container-extract container-list container-plan container-doctor container-lint container-scan container-release container-verify container-history

container-build: | $(ARGOSY_FIRST) ## Build all images and load them
	@$(ARGOSY) build $(FLAGS)

container-build-%: | $(ARGOSY_FIRST) ## Build one image (container-build-api), or several: a glob
	@$(ARGOSY) build --images '$*' $(FLAGS)

container-push: | $(ARGOSY_FIRST) ## Build and push all images
	@$(ARGOSY) push $(FLAGS)

container-push-%: | $(ARGOSY_FIRST) ## Build and push one image
	@$(ARGOSY) push --images '$*' $(FLAGS)

container-pull: | $(ARGOSY_FIRST) ## Pull all images, under their local names too
	@$(ARGOSY) pull $(FLAGS)

container-pull-%: | $(ARGOSY_FIRST) ## Pull one image
	@$(ARGOSY) pull --images '$*' $(FLAGS)

container-clean: | $(ARGOSY_FIRST) ## Remove this project's images from the engine, without asking
	@$(ARGOSY) clean --yes $(FLAGS)

container-clean-%: | $(ARGOSY_FIRST) ## Remove one image's references
	@$(ARGOSY) clean --yes --images '$*' $(FLAGS)

container-save: | $(ARGOSY_FIRST) ## Write all images to a folder: DIR=out
	@$(if $(DIR),,$(error say where: make $@ DIR=out))$(ARGOSY) save --dir '$(DIR)' $(FLAGS)

container-load: | $(ARGOSY_FIRST) ## Load what container-save wrote: DIR=out
	@$(if $(DIR),,$(error say where from: make $@ DIR=out))$(ARGOSY) load --dir '$(DIR)' $(FLAGS)

container-extract: | $(ARGOSY_FIRST) ## Take files out of images, to artifacts/
	@$(ARGOSY) extract $(FLAGS)

container-test: | $(ARGOSY_FIRST) ## Test all images that were built
	@$(ARGOSY) test $(FLAGS)

container-test-%: | $(ARGOSY_FIRST) ## Test one image
	@$(ARGOSY) test --images '$*' $(FLAGS)

container-list: | $(ARGOSY_FIRST) ## List the fleet
	@$(ARGOSY) list $(FLAGS)

container-plan: | $(ARGOSY_FIRST) ## Show what would be built, and why
	@$(ARGOSY) plan $(FLAGS)

container-plan-%: | $(ARGOSY_FIRST) ## Show what would be built for one image
	@$(ARGOSY) plan --images '$*' $(FLAGS)

container-doctor: | $(ARGOSY_FIRST) ## Check everything a build needs
	@$(ARGOSY) doctor $(FLAGS)

container-lint: | $(ARGOSY_FIRST) ## Look for faults in files and in what was built
	@$(ARGOSY) lint $(FLAGS)

container-lint-%: | $(ARGOSY_FIRST) ## Look for faults in one image
	@$(ARGOSY) lint --images '$*' $(FLAGS)

container-scan: | $(ARGOSY_FIRST) ## Scan what was built for vulnerabilities
	@$(ARGOSY) scan $(FLAGS)

container-scan-%: | $(ARGOSY_FIRST) ## Scan one image
	@$(ARGOSY) scan --images '$*' $(FLAGS)

container-release: | $(ARGOSY_FIRST) ## Release all images, or none: TAG=v0.2.0
	@$(if $(TAG),,$(error say which version: make $@ TAG=v0.2.0))$(ARGOSY) release --tag '$(TAG)' $(FLAGS)

container-verify: | $(ARGOSY_FIRST) ## Is a release still what it was: TAG=v0.2.0
	@$(if $(TAG),,$(error say which release: make $@ TAG=v0.2.0))$(ARGOSY) verify '$(TAG)' $(FLAGS)

container-history: | $(ARGOSY_FIRST) ## Show what was released
	@$(ARGOSY) history $(FLAGS)
