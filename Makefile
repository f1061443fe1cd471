# make demo    the main job on a real server         make test    all tests
# make serve   a web service on the pool, with a page that draws it live
# make fleet   20 processes with one budget of connections, and with faults
# All of them first install missing packages, and print their names. Options: make demo DEMO="--seconds 30 --chaos"

SWIFT ?= swift

.PHONY: demo serve fleet test verify bench docs setup build install uninstall format clean

# On a private Redis; with DEMO=--postgres on a private PostgreSQL. DEMO=--help lists the options.
demo:
	@Scripts/setup $(if $(filter --postgres,$(DEMO)),postgres)
	$(SWIFT) build -c release --product burst-pool-demo
	"$$($(SWIFT) build -c release --show-bin-path)/burst-pool-demo" $(DEMO)

# Settings such as PORT=8080, POOL_MAX_SIZE=8 and POSTGRES_URL=postgresql://… are in Examples/Server/README.md. Ctrl-C ends
# the server and its database.
serve:
	@Scripts/setup $(if $(filter --postgres,$(SERVE)),postgres)
	$(SWIFT) build -c release --package-path Examples/Server --product link-server
	@Examples/Server/serve "$$($(SWIFT) build -c release --package-path Examples/Server --show-bin-path)/link-server" $(SERVE)

# On a private PostgreSQL and a private Redis, for a minute. FLEET=--help lists the options.
fleet:
	@Scripts/setup postgres
	$(SWIFT) build -c release --product burst-pool-fleet-demo
	"$$($(SWIFT) build -c release --show-bin-path)/burst-pool-fleet-demo" $(FLEET)

test:
	@Scripts/setup tests
	@Tests/BurstPoolDatadogTests/Receiver/install
	Scripts/test

# What a machine can prove within 10 minutes: interleavings of the cores, mutants, races and stress.
# make verify MINUTES=60 goes on for longer, with soak and fuzzing, like Scripts/verify --minutes 60.
verify:
	@Scripts/setup verify
	Scripts/verify $(if $(MINUTES),--minutes $(MINUTES))

# The comparison with other pools; BENCH=--quick takes 3 minutes.
bench: setup
	Scripts/bench $(BENCH)

# The documentation of all products as pages for a browser. Warnings and broken links are errors.
docs:
	@Scripts/setup docs
	Scripts/docs

setup:
	@Scripts/setup

build: setup
	$(SWIFT) build

# The C library alone, for programs in C and C++. Needs CMake, a C compiler and Concurrency Kit, and no Swift.
# PREFIX=/usr/local, DESTDIR= and CMAKE_OPTIONS= as usual.
PREFIX ?= /usr/local
BUILD ?= .build/c
install:
	@Scripts/setup c
	cmake -S . -B "$(BUILD)" -DCMAKE_INSTALL_PREFIX="$(PREFIX)" $(CMAKE_OPTIONS)
	cmake --build "$(BUILD)" --parallel "$$(getconf _NPROCESSORS_ONLN)"
	cmake --install "$(BUILD)"

uninstall:
	cmake --build "$(BUILD)" --target uninstall

format:
	$(SWIFT) format --in-place --recursive --configuration .swift-format Package.swift Sources Tests Examples Benchmarks
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cpp' '*.hpp')

clean:
	rm -rf .build Examples/*/.build Benchmarks/.build Tests/InstructionGuard/.build Tests/CoreInterleavings/.build Tests/CoreInterleavings/transfers/.build
