# Builds, tests and checks r1.h. GNU make, a C11 compiler and a POSIX shell are enough; nothing here
# touches the network. CC, CFLAGS, CPPFLAGS, LDFLAGS and LIBS are honoured.

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS = -std=c11 -Wall -Wextra -Wpedantic
LIBS ?= -lm -lpthread
FILTER =
SEED = 1
TASK = countdown
SECONDS = 60

COMPILE = $(CC) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) -I.
LINK_FLAGS = $(LDFLAGS) $(LIBS)
EXAMPLES = $(patsubst examples/%.c,build/%,$(wildcard examples/*.c))
TEST_SOURCES = $(wildcard tests/*.c tests/*.h)
RUN_TESTS = MAKE="$(MAKE)" CC="$(CC)" tests/run

.DELETE_ON_ERROR:
.PHONY: all demo demo-check demo-seeds fuzz test test-full check bench split syntax asan \
        clean help info force

all: build/r1.o $(EXAMPLES) ## build every example into build/ (the default)

# A file that changes when the compiler or its flags do, so that objects never mix two sets.
build/flags: force
	@mkdir -p build
	@echo '$(COMPILE) $(LINK_FLAGS)' | cmp -s - $@ || echo '$(COMPILE) $(LINK_FLAGS)' > $@

build/r1.o: r1.h build/flags
	$(COMPILE) -DR1_IMPLEMENTATION -x c -c r1.h -o $@

$(EXAMPLES): build/%: examples/%.c $(wildcard examples/*.h) r1.h build/r1.o
	$(COMPILE) $< build/r1.o -o $@ $(LINK_FLAGS)

# The bench measures inner kernels, so it holds the implementation too.
build/bench: bench/bench.c r1.h build/flags
	$(COMPILE) $< -o $@ $(LINK_FLAGS) -ldl

# The tests include the implementation, so that they see private functions.
build/tests: $(TEST_SOURCES) $(wildcard examples/*.h) r1.h build/flags
	$(COMPILE) tests/main.c -o $@ $(LINK_FLAGS)

build/tests_double: $(TEST_SOURCES) r1.h build/flags
	$(COMPILE) tests/double.c -o $@ $(LINK_FLAGS)

demo: build/r1_zero ## train R1-Zero on the countdown task (SEED=1, TASK=parity for the short one)
	build/r1_zero --task $(TASK) --seed $(SEED)

demo-check: build/r1_zero build/r1_chat ## run the demos, countdown with seeds 1 2 3, and check their results
	@tools/demo_check build/r1_zero countdown 1 2 3 && tools/demo_check build/r1_zero parity 1

demo-seeds: build/r1_zero build/r1_chat ## run countdown with the seeds 1 to 20, more than an hour, and count those that pass
	@tools/demo_check build/r1_zero countdown 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20

fuzz: build/r1.o ## run every fuzz target for a minute under sanitizers, with clang (SECONDS=600)
	@tests/fuzz/run $(SECONDS)

test: ## run the tests of a few minutes (FILTER=text selects some)
	+@$(RUN_TESTS) $(if $(FILTER),--filter "$(FILTER)")

test-full: ## run all tests, the long ones and the demo included
	+@$(RUN_TESTS) --full $(if $(FILTER),--filter "$(FILTER)")

check: build/r1.o ## check format, budget, rooms, documentation and the README's snippets
	@if python3 -c '' 2>/dev/null; then \
	    python3 tools/check.py; code=$$?; \
	    python3 tools/readme_check --compile || code=1; exit $$code; \
	else \
	    echo "check: python3 is not installed, nothing was checked"; \
	    case ",$$R1_REQUIRE," in *,python3,*) exit 1;; esac; \
	fi

bench: build/bench ## measure speed, CSV on standard output
	build/bench

split: ## derive build/r1_split/r1.h and r1.c, and compile them
	@tools/split build/r1_split
	$(COMPILE) -c build/r1_split/r1.c -o build/r1_split/r1.o

syntax: ## compile everything without making code
	$(COMPILE) -fsyntax-only -DR1_IMPLEMENTATION -x c r1.h
	@for file in tests/main.c tests/double.c $(wildcard examples/*.c bench/*.c); do \
	    echo "$$file"; $(COMPILE) -fsyntax-only $$file || exit 1; done

asan: ## run the tests under the address and undefined-behaviour sanitizers
	@mkdir -p build
	$(COMPILE) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	    -fno-sanitize-recover=undefined tests/main.c -o build/tests_asan $(LINK_FLAGS)
	build/tests_asan $(if $(FILTER),--filter "$(FILTER)")

clean: ## remove build/ and out/
	rm -rf build out

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

info: ## show the compiler and the tools that tests can use
	@echo "compile: $(COMPILE)"; echo "link:    $(LINK_FLAGS)"; $(CC) --version | head -n 1
	@for tool in gcc clang g++ clang++ aarch64-linux-gnu-gcc qemu-aarch64 python3 clang-format \
	    nvcc; do printf '%-22s ' $$tool; command -v $$tool || echo '-'; done
