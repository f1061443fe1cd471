// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Homebrew keeps libck outside the compiler's default search path; Debian does not. Asking pkg-config
// only where it is needed avoids SwiftPM's remark about `-D__x86_64__` in Debian's ck.pc.
#if os(macOS)
    let concurrencyKitPkgConfig: String? = "ck"
    let hiredisPkgConfig: String? = "hiredis"
    let libpqPkgConfig: String? = "libpq"
#else
    let concurrencyKitPkgConfig: String? = nil
    let hiredisPkgConfig: String? = nil
    let libpqPkgConfig: String? = nil
#endif

let package = Package(
    name: "swift-burst-pool",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "BurstPool", targets: ["BurstPool"]),
        .library(name: "CBurstPool", targets: ["CBurstPool"]),
        .library(name: "BurstPoolRedis", targets: ["BurstPoolRedis"]),
        .library(name: "BurstPoolPostgres", targets: ["BurstPoolPostgres"]),
        .library(name: "BurstPoolFleet", targets: ["BurstPoolFleet"]),
        .library(name: "BurstPoolDatadog", targets: ["BurstPoolDatadog"]),
        .library(name: "BurstPoolObservability", targets: ["BurstPoolObservability"]),
        // For tests of code that uses a pool: a clock to advance by hand, and a strategy that follows a script.
        .library(name: "BurstPoolTesting", targets: ["BurstPoolTesting"]),
        .library(name: "BurstPoolServiceLifecycle", targets: ["BurstPoolServiceLifecycle"]),
        .library(name: "BurstPoolConfigReader", targets: ["BurstPoolConfigReader"]),
        // Records what is asked of a pool, and simulates pools under that load.
        .library(name: "BurstPoolSizing", targets: ["BurstPoolSizing"]),
        // For comparisons, not for production.
        .library(name: "BurstPoolSwiftCores", targets: ["BurstPoolSwiftCores"]),
        .executable(name: "burst-pool-demo", targets: ["BurstPoolDemo"]),
        .executable(name: "burst-pool-fleet-demo", targets: ["BurstPoolFleetDemo"]),
        .executable(name: "burst-pool-size", targets: ["BurstPoolSize"]),
    ],
    traits: [
        .trait(name: "Redis", description: "The product BurstPoolRedis, which needs swift-nio and hiredis."),
        .trait(name: "Postgres", description: "The product BurstPoolPostgres, which needs libpq."),
        .trait(
            name: "RedisTLS",
            description: "TLS for BurstPoolRedis (rediss://), which needs swift-nio-ssl.",
            enabledTraits: ["Redis"]
        ),
        .trait(
            name: "Fleet",
            description: "The product BurstPoolFleet, which keeps its budgets in Redis.",
            enabledTraits: ["Redis"]
        ),
        .trait(
            name: "Demo",
            description: "The product burst-pool-demo, which needs swift-argument-parser.",
            enabledTraits: ["Redis", "Postgres"]
        ),
        .trait(name: "Sizing", description: "The product burst-pool-size, which needs swift-argument-parser."),
        .trait(name: "Datadog", description: "The product BurstPoolDatadog, which needs swift-metrics and swift-log."),
        .trait(
            name: "Observability",
            description:
                "The product BurstPoolObservability, which needs swift-metrics, swift-distributed-tracing and swift-log."
        ),
        .trait(
            name: "ServiceLifecycle",
            description: "The product BurstPoolServiceLifecycle, which needs swift-service-lifecycle."
        ),
        .trait(
            name: "ConfigReader",
            description: "The product BurstPoolConfigReader, which needs swift-configuration."
        ),
        .default(enabledTraits: [
            "Redis", "RedisTLS", "Postgres", "Fleet", "Demo", "Sizing", "Datadog", "Observability", "ServiceLifecycle",
            "ConfigReader",
        ]),
    ],
    dependencies: [
        // Each for the products of one trait. A package that depends on this one with `traits: []` fetches none of them.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    ],
    targets: [
        .systemLibrary(
            name: "CConcurrencyKit",
            path: "CSources/CConcurrencyKit",
            pkgConfig: concurrencyKitPkgConfig,
            providers: [.apt(["libck-dev"]), .brew(["concurrencykit"])]
        ),
        .target(
            name: "CBurstPool",
            dependencies: ["CConcurrencyKit"],
            path: "CSources/CBurstPool"
        ),
        .systemLibrary(name: "CRunningTask", path: "CSources/CRunningTask"),
        .target(
            name: "BurstPool",
            dependencies: ["CBurstPool", "CRunningTask"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolTesting",
            dependencies: ["BurstPool"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolSizing",
            dependencies: ["BurstPool"],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "BurstPoolSize",
            dependencies: [
                "BurstPoolSizing",
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["Sizing"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolSwiftCores",
            dependencies: ["BurstPool"],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(
            name: "CHiredis",
            path: "CSources/CHiredis",
            pkgConfig: hiredisPkgConfig,
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]
        ),
        .target(
            name: "BurstPoolRedis",
            dependencies: [
                "BurstPool",
                "CHiredis",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOTLS", package: "swift-nio", condition: .when(traits: ["RedisTLS"])),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["RedisTLS"])),
            ],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(
            name: "CLibPQ",
            path: "CSources/CLibPQ",
            pkgConfig: libpqPkgConfig,
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .target(
            name: "BurstPoolPostgres",
            dependencies: [
                "BurstPool",
                .target(name: "CLibPQ", condition: .when(traits: ["Postgres"])),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolFleet",
            dependencies: ["BurstPool", "BurstPoolRedis"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolDatadog",
            dependencies: [
                "BurstPool",
                "BurstPoolSampling",
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Datadog"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Datadog"])),
            ],
            swiftSettings: swiftSettings
        ),
        // Reads a pool's statistics for gauges. An internal target; not a product.
        .target(
            name: "BurstPoolSampling",
            dependencies: ["BurstPool"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolObservability",
            dependencies: [
                "BurstPool",
                "BurstPoolSampling",
                // For metrics and spans of queries. Without the trait, this product does not need libpq.
                .target(name: "BurstPoolPostgres", condition: .when(traits: ["Postgres"])),
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Observability"])),
                .product(
                    name: "Tracing",
                    package: "swift-distributed-tracing",
                    condition: .when(traits: ["Observability"])
                ),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Observability"])),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolServiceLifecycle",
            dependencies: [
                "BurstPool",
                // For a member of a fleet. Without the trait, this product does not need a Redis client.
                .target(name: "BurstPoolFleet", condition: .when(traits: ["Fleet"])),
                .product(
                    name: "ServiceLifecycle",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "BurstPoolConfigReader",
            dependencies: [
                "BurstPool",
                // For the configuration of a fleet. Without the trait, this product does not need a Redis client.
                .target(name: "BurstPoolFleet", condition: .when(traits: ["Fleet"])),
                .product(
                    name: "Configuration",
                    package: "swift-configuration",
                    condition: .when(traits: ["ConfigReader"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        // A private PostgreSQL server, for the tests and the demo. Internal target; not a product.
        .target(
            name: "BurstPoolPostgresServer",
            swiftSettings: swiftSettings
        ),
        // A private redis-server, for the tests and the demo. Internal target; not a product.
        .target(
            name: "BurstPoolRedisServer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "BurstPoolDemo",
            dependencies: [
                "BurstPool",
                "BurstPoolPostgres",
                "BurstPoolPostgresServer",
                "BurstPoolRedis",
                "BurstPoolRedisServer",
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["Demo"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "CBurstPoolTests",
            dependencies: ["CBurstPool"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolTests",
            dependencies: ["BurstPool", "BurstPoolSwiftCores", "BurstPoolTesting"],
            swiftSettings: swiftSettings
        ),
        // Counts the allocations of the fast path, in a build with optimisation: see Tests/FastPathProbe.
        .target(
            name: "CAllocationCounter",
            path: "Tests/CAllocationCounter"
        ),
        .executableTarget(
            name: "FastPathProbe",
            dependencies: ["BurstPool", "CAllocationCounter"],
            path: "Tests/FastPathProbe",
            swiftSettings: swiftSettings
        ),
        // Measures what ended calls leave behind and what idle pools cost: see Tests/RestingProbe.
        .executableTarget(
            name: "RestingProbe",
            dependencies: ["BurstPool"],
            path: "Tests/RestingProbe",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolSwiftCoresTests",
            dependencies: ["BurstPoolSwiftCores", "BurstPool"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolRedisTests",
            dependencies: [
                "BurstPoolRedis",
                "BurstPoolRedisServer",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Redis"])),
            ],
            swiftSettings: swiftSettings
        ),
        // `make fleet`: a fleet of real processes, with faults.
        .executableTarget(
            name: "BurstPoolFleetDemo",
            dependencies: [
                "BurstPool",
                "BurstPoolFleet",
                "BurstPoolPostgres",
                "BurstPoolPostgresServer",
                "BurstPoolRedis",
                "BurstPoolRedisServer",
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["Demo"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        // Simulates fleets of up to 1,000 processes in virtual time, for the tests and the article: see Tests/FleetSimulation.
        .executableTarget(
            name: "FleetSimulation",
            dependencies: ["BurstPoolFleet"],
            path: "Tests/FleetSimulation",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolFleetTests",
            dependencies: [
                "BurstPool", "BurstPoolFleet", "BurstPoolRedis", "BurstPoolRedisServer", "BurstPoolTesting",
                "FleetSimulation",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolPostgresTests",
            dependencies: ["BurstPool", "BurstPoolPostgres", "BurstPoolPostgresServer"],
            swiftSettings: swiftSettings
        ),
        // Fuzzing of what reads bytes and text from outside, also under libFuzzer: see Tests/RedisFuzzing and
        // Tests/PostgresFuzzing.
        .target(
            name: "FuzzHarness",
            path: "Tests/FuzzHarness",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "PostgresFuzzProperties",
            dependencies: ["BurstPoolPostgres", "FuzzHarness"],
            path: "Tests/PostgresFuzzing/Sources/PostgresFuzzProperties",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "PostgresFuzzing",
            dependencies: ["PostgresFuzzProperties", "FuzzHarness"],
            path: "Tests/PostgresFuzzing/Sources/PostgresFuzzing",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RedisFuzzProperties",
            dependencies: [
                "FuzzHarness",
                "BurstPoolRedis",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOEmbedded", package: "swift-nio", condition: .when(traits: ["Redis"])),
            ],
            path: "Tests/RedisFuzzing/Sources/RedisFuzzProperties",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "RedisFuzzing",
            dependencies: ["RedisFuzzProperties", "FuzzHarness"],
            path: "Tests/RedisFuzzing/Sources/RedisFuzzing",
            swiftSettings: swiftSettings
        ),
        // Pools over a real Redis or PostgreSQL behind a proxy that harms: see Tests/Soak.
        .target(
            name: "CFootprint",
            path: "Tests/Soak/Sources/CFootprint"
        ),
        .executableTarget(
            name: "Soak",
            dependencies: [
                "CFootprint",
                "BurstPool",
                "BurstPoolRedis",
                "BurstPoolRedisServer",
                "BurstPoolPostgres",
                "BurstPoolPostgresServer",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Redis"])),
            ],
            path: "Tests/Soak/Sources/Soak",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolDatadogTests",
            dependencies: [
                "BurstPoolTesting",
                "BurstPoolDatadog",
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Datadog"])),
                .product(name: "InMemoryLogging", package: "swift-log", condition: .when(traits: ["Datadog"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Datadog"])),
            ],
            // Run by the tests with Python, where they are.
            exclude: ["Receiver"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolObservabilityTests",
            dependencies: [
                "BurstPoolTesting",
                "BurstPoolObservability",
                .target(name: "BurstPoolPostgres", condition: .when(traits: ["Postgres"])),
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Observability"])),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Observability"])),
                .product(
                    name: "Tracing",
                    package: "swift-distributed-tracing",
                    condition: .when(traits: ["Observability"])
                ),
                .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Observability"])),
                .product(
                    name: "InMemoryTracing",
                    package: "swift-distributed-tracing",
                    condition: .when(traits: ["Observability"])
                ),
                .product(name: "InMemoryLogging", package: "swift-log", condition: .when(traits: ["Observability"])),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolServiceLifecycleTests",
            dependencies: [
                "BurstPoolTesting",
                "BurstPoolServiceLifecycle",
                .target(name: "BurstPoolFleet", condition: .when(traits: ["Fleet"])),
                .target(name: "BurstPoolRedis", condition: .when(traits: ["Fleet"])),
                .target(name: "BurstPoolRedisServer", condition: .when(traits: ["Fleet"])),
                .product(
                    name: "ServiceLifecycleTestKit",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])
                ),
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolConfigReaderTests",
            dependencies: [
                "BurstPoolConfigReader",
                "BurstPoolTesting",
                .target(name: "BurstPoolFleet", condition: .when(traits: ["Fleet"])),
                .target(name: "BurstPoolRedisServer", condition: .when(traits: ["Fleet"])),
                .product(
                    name: "Configuration",
                    package: "swift-configuration",
                    condition: .when(traits: ["ConfigReader"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolSizingTests",
            dependencies: [
                "BurstPool",
                "BurstPoolSize",
                "BurstPoolSizing",
                "BurstPoolTesting",
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["Sizing"])
                ),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolDemoTests",
            dependencies: [
                "BurstPool",
                "BurstPoolDemo",
                "BurstPoolPostgres",
                "BurstPoolPostgresServer",
                "BurstPoolRedis",
                "BurstPoolRedisServer",
            ],
            swiftSettings: swiftSettings
        ),
    ],
    cLanguageStandard: .c11
)
