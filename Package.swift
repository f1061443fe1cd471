// swift-tools-version: 6.2
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
#else
    let concurrencyKitPkgConfig: String? = nil
    let hiredisPkgConfig: String? = nil
#endif

let package = Package(
    name: "swift-burst-pool",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "BurstPool", targets: ["BurstPool"]),
        .library(name: "CBurstPool", targets: ["CBurstPool"]),
        .library(name: "BurstPoolRedis", targets: ["BurstPoolRedis"]),
        // For comparisons, not for production.
        .library(name: "BurstPoolSwiftCores", targets: ["BurstPoolSwiftCores"]),
        .executable(name: "burst-pool-demo", targets: ["BurstPoolDemo"]),
    ],
    traits: [
        .trait(name: "Redis", description: "The product BurstPoolRedis, which needs swift-nio and hiredis."),
        .trait(
            name: "Demo",
            description: "The product burst-pool-demo, which needs swift-argument-parser.",
            enabledTraits: ["Redis"]
        ),
        .default(enabledTraits: ["Redis", "Demo"]),
    ],
    dependencies: [
        // Each for the products of one trait. A package that depends on this one with `traits: []` fetches none of them.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
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
        .target(
            name: "BurstPool",
            dependencies: ["CBurstPool"],
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
            ],
            swiftSettings: swiftSettings
        ),
        // A private redis-server, for the tests and the demo. Not a product: nobody else's business.
        .target(
            name: "BurstPoolRedisServer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "BurstPoolDemo",
            dependencies: [
                "BurstPool",
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
            dependencies: ["BurstPool", "BurstPoolSwiftCores"],
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
        // Fuzzing of what reads bytes and text from outside, also under libFuzzer: see Tests/RedisFuzzing.
        .target(
            name: "RedisFuzzProperties",
            dependencies: [
                "BurstPoolRedis",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Redis"])),
                .product(name: "NIOEmbedded", package: "swift-nio", condition: .when(traits: ["Redis"])),
            ],
            path: "Tests/RedisFuzzing/Sources/RedisFuzzProperties",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "RedisFuzzing",
            dependencies: ["RedisFuzzProperties"],
            path: "Tests/RedisFuzzing/Sources/RedisFuzzing",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolDemoTests",
            dependencies: ["BurstPoolDemo", "BurstPoolRedis"],
            swiftSettings: swiftSettings
        ),
    ],
    cLanguageStandard: .c11
)
