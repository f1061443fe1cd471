// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A separate package, so that the dependencies of the benchmarks do not become the library's: see README.md.
let package = Package(
    name: "burst-pool-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: ".."),
        .package(name: "instruction-guard", path: "../Tests/InstructionGuard"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        // Without its traits, which would replace the system's allocator by one that does not exist on every system.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "CBenchmarkSupport",
            dependencies: [.product(name: "CBurstPool", package: "swift-burst-pool")]
        ),
        .target(
            name: "BenchmarkSubjects",
            dependencies: [
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolSwiftCores", package: "swift-burst-pool"),
            ]
        ),
        .executableTarget(
            name: "compare",
            dependencies: [
                "BenchmarkSubjects",
                "CBenchmarkSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolSwiftCores", package: "swift-burst-pool"),
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "CAllocationCount", package: "instruction-guard"),
            ]
        ),
        // Statements of PostgreSQL through a pool: Scripts/bench-postgres runs it by turns with pgbench.
        .executableTarget(
            name: "postgres-load",
            dependencies: [
                "CBenchmarkSupport",
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolPostgres", package: "swift-burst-pool"),
            ],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
        ),
        // Requests to Redis through an exclusive or a shared pool: Scripts/bench-redis runs it by turns with other clients.
        .executableTarget(
            name: "redis-load",
            dependencies: [
                "CBenchmarkSupport",
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
            ],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
        ),
        // Measures how long callers wait, and compares it with queueing theory: see the article Choosing limits.
        .executableTarget(
            name: "curves",
            dependencies: [.product(name: "BurstPool", package: "swift-burst-pool")]
        ),
        .executableTarget(
            name: "BurstPoolBenchmarks",
            dependencies: [
                "BenchmarkSubjects",
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolSwiftCores", package: "swift-burst-pool"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/BurstPoolBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ],
    cLanguageStandard: .c11
)
