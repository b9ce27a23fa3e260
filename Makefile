# Each target installs what it misses: Debian packages (packages*.txt) and a
# Python environment (.venv). The real work is in CMake presets and pytest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

JOBS ?= $(shell nproc)
WORKERS ?= 2
VENV := .venv
SECONDS ?= 600
# Where `make newcomer` keeps its systems: 5 GB.
NEWCOMER ?= build/newcomer
RELEASE := cmake --preset release --log-level=WARNING
FAULTS_TEST := build/release/tests/faults/faults_test
PYTEST := $(VENV)/bin/python -m pytest -q
PACKAGES := build/.packages
PYTHON_PACKAGES := build/.packages-python
TEST_PACKAGES := build/.packages-test
MPI_PACKAGES := build/.packages-mpi
LINT_PACKAGES := build/.packages-lint
FUZZ_PACKAGES := build/.packages-fuzz
# In total, over all targets.
FUZZ_SECONDS ?= 3600
TEST_VENV := $(VENV)/.tests-installed
PYTHON_VENV := $(VENV)/.package-installed
DEMO_VENV := $(VENV)/.demo-installed
# What the wheel is made of.
WHEEL_SOURCES = $(shell find CMakeLists.txt packages.txt pyproject.toml README.md \
  LICENSE cli cmake include python src -type f -not -name '*.pyc' -not -name '*_test.cc')
CPP = $(shell git ls-files '*.h' '*.cc')

# A sanitizer's finding must not look like an expected exit code 1.
export ASAN_OPTIONS := exitcode=99:detect_stack_use_after_return=1
export UBSAN_OPTIONS := exitcode=99:print_stacktrace=1
export TSAN_OPTIONS := exitcode=99:halt_on_error=1
# ThreadSanitizer of GCC 12 cannot live with much address randomisation.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: help build python test test-long check lint asan tsan mpi fuzz demo clean \
  bench bench-quick bench-floor bench-micro bench-buckets bench-publish \
  bench-build \
  unit end-to-end newest python-tests fault-tools servers more-servers faults buckets soak \
  newcomer

help:  ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# Tests and benchmarks need packages of their own, the command does not.
build: $(PACKAGES)  ## Build build/release/rechunk
	$(RELEASE) $(if $(wildcard $(TEST_PACKAGES)),, \
	  -DRECHUNK_TESTS=OFF -DRECHUNK_BENCHMARKS=OFF)
	cmake --build --preset release -j $(JOBS) --target rechunk_cli

python: $(PYTHON_VENV)  ## Put the Python package, with all extras, into .venv

test:  ## Everything that must pass (35 minutes on two cores, caches warm)
	$(MAKE) unit
	$(MAKE) tsan
	$(MAKE) asan
	$(MAKE) mpi
	$(MAKE) end-to-end
	$(MAKE) newest
	$(MAKE) python-tests
	$(MAKE) check

test-long: $(PYTHON_VENV)  ## Wheels for all Pythons; all faults; an hour of soak
	tests/setup/wheels.sh
	$(MAKE) faults
	$(MAKE) buckets
	$(MAKE) soak SECONDS=3600

faults: fault-tools $(PYTHON_VENV)  ## Every fault, 10,000 flips, 200 kills
	RECHUNK_FAULTS=all $(FAULTS_TEST) --gtest_filter='Faults.*'
	RECHUNK_FLIPS=10000 RECHUNK_CALLS=2000 RECHUNK_KILLS=200 \
	  RECHUNK_WORKLOAD_PART=1 $(PYTEST) -n $(WORKERS) tests/faults

buckets: fault-tools more-servers  ## All in buckets, 100 kills, 1,000 faults there
	RECHUNK_S3_SHARE=1 RECHUNK_GS_SHARE=1 $(PYTEST) -n $(WORKERS) \
	  -m any_place -k 's3 or gs' tests --ignore tests/python
	RECHUNK_KILLS=100 RECHUNK_S3_FAULTS=1000 RECHUNK_GCS_FAULTS=1000 \
	  $(PYTEST) tests/test_s3.py tests/test_gcs.py

soak: fault-tools $(TEST_VENV)  ## Random rechunks with random faults, SECONDS=N
	export RECHUNK_SOAK_SECONDS=$(SECONDS); \
	$(FAULTS_TEST) --gtest_filter='Soak.*' & \
	$(PYTEST) -s tests/faults/test_soak.py; wait $$!

fault-tools: $(TEST_PACKAGES)
	$(RELEASE)
	cmake --build --preset release -j $(JOBS) \
	  --target rechunk_cli store_test faults_test fault_shim fault_proxy

servers: $(TEST_VENV)  ## A server that speaks S3, for tests (minutes, once)
	tests/setup/servers.sh $(VENV)

more-servers: servers  ## Others for `make buckets` (minutes, once)
	tests/setup/servers.sh $(VENV) fake-gcs-server

unit: $(TEST_PACKAGES)  ## C++ unit tests of the release build
	$(RELEASE)
	cmake --build --preset release -j $(JOBS)
	ctest --preset release -j $(JOBS) --progress

end-to-end: fault-tools servers  ## Python tests of the release build
	$(PYTEST) -n $(WORKERS) tests --ignore tests/python

newest: fault-tools servers  ## Tests for a newer Python than .venv may have
	tests/setup/newest.sh $(VENV)

python-tests: $(PYTHON_VENV) servers  ## Tests of the Python package
	$(PYTEST) -n $(WORKERS) --dist loadgroup tests/python

asan: $(TEST_PACKAGES) servers  ## Unit tests, fuzz inputs, 100 random cases
	cmake --preset asan --log-level=WARNING
	cmake --build --preset asan -j $(JOBS)
	ctest --preset asan -j $(JOBS) --progress
	RECHUNK_BINARY=build/asan/rechunk RECHUNK_CASES=100 \
	  $(PYTEST) -n $(WORKERS) tests/test_random_cases.py

# Without S3: the system's libcurl is not built for ThreadSanitizer.
tsan: $(TEST_PACKAGES) $(TEST_VENV)  ## Tests of threads: ThreadSanitizer
	cmake --preset tsan --log-level=WARNING
	$(FIXED_ADDRESSES) cmake --build --preset tsan -j $(JOBS) \
	  --target rechunk_cli exec_test executors_test
	$(FIXED_ADDRESSES) build/tsan/exec_test --gtest_brief
	$(FIXED_ADDRESSES) build/tsan/src/executors/executors_test \
	  --gtest_brief
	RECHUNK_BINARY=build/tsan/rechunk RECHUNK_CASES=40 RECHUNK_S3_SHARE=0 \
	  $(FIXED_ADDRESSES) $(PYTEST) -n $(WORKERS) tests/test_random_cases.py \
	  tests/test_counts.py

mpi: $(MPI_PACKAGES) $(TEST_VENV)  ## The executor for MPI, on 1, 2, 4 ranks
	cmake --preset mpi --log-level=WARNING
	cmake --build --preset mpi -j $(JOBS) --target rechunk_cli
	RECHUNK_BINARY=build/mpi/rechunk $(PYTEST) tests/test_mpi.py

fuzz: $(FUZZ_PACKAGES)  ## Look for inputs that break it (FUZZ_SECONDS: 3600)
	cmake --preset fuzz --log-level=WARNING
	cmake --build --preset fuzz -j $(JOBS) --target fuzz
	fuzz/run.sh build/fuzz/rechunk_fuzz $(FUZZ_SECONDS)

check: $(LINT_PACKAGES) $(PYTHON_VENV)  ## Format, lint, types and style
	clang-format-14 --dry-run --Werror $(CPP)
	$(VENV)/bin/python tests/tidy.py
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

lint: $(LINT_PACKAGES) $(TEST_PACKAGES)  ## clang-tidy (ten minutes of a core)
	cmake --preset dev --log-level=WARNING
	run-clang-tidy-16 -quiet -p build/dev -j $(JOBS) \
	  -extra-arg=-Wno-unknown-warning-option \
	  '^$(CURDIR)/(src|cli)/.*(?<!_test)\.cc$$'

demo: build $(DEMO_VENV)  ## The main job on real data, as a transcript
	demo/demo.sh

bench: bench-build $(TEST_VENV)  ## Compare with other tools and the floor (hours)
	benchmarks/run.sh bench
	benchmarks/run.sh report

bench-quick: bench-build $(TEST_VENV)  ## A part of it, within 15 minutes
	benchmarks/run.sh bench --quick
	benchmarks/run.sh report

bench-floor: bench-build $(TEST_VENV)  ## rechunk against the floor (minutes)
	benchmarks/run.sh floor

bench-micro: bench-build  ## Kernels, codecs, digest and planner alone
	cmake --build --preset release -j $(JOBS) --target rechunk_micro
	build/release/benchmarks/rechunk_micro

bench-buckets: bench-build fault-tools servers  ## Buckets whose answers take 50 ms
	$(VENV)/bin/python benchmarks/buckets.py

bench-publish: $(TEST_VENV)  ## The newest results: docs/benchmarks.md, an archive
	benchmarks/run.sh report --publish

bench-build: $(TEST_PACKAGES)
	$(RELEASE)
	cmake --build --preset release -j $(JOBS) \
	  --target rechunk_cli rechunk_floor

newcomer:  ## What the README says, on bare Debian 12 and 13 (as root)
	tests/setup/newcomer.sh $(NEWCOMER) trixie \
	  'make build' 'make demo' 'make python'
	tests/setup/newcomer.sh $(NEWCOMER) bookworm \
	  'make build' 'make demo' 'make python' 'make test'

clean:  ## Remove all that was built and installed here
	rm -rf build $(VENV) .venv-newest

$(PACKAGES): packages.txt
	tests/setup/packages.sh
	mkdir -p $(@D)
	touch $@

build/.packages-%: packages-%.txt $(PACKAGES)
	tests/setup/packages.sh $<
	touch $@

$(TEST_VENV): tests/requirements.txt tests/constraints.txt $(PYTHON_PACKAGES)
	tests/setup/venv.sh $(VENV) tests/requirements.txt
	touch $@

$(PYTHON_VENV): $(WHEEL_SOURCES) tests/requirements-python.txt $(TEST_VENV)
	tests/setup/python.sh $(VENV)
	touch $@

$(DEMO_VENV): demo/requirements.txt tests/constraints.txt $(PYTHON_PACKAGES)
	tests/setup/venv.sh $(VENV) demo/requirements.txt
	touch $@
