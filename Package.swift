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
    ],
    dependencies: [
        // For BurstPoolRedis only.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2")
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
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolTests",
            dependencies: ["BurstPool"],
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
            name: "BurstPoolRedisTests",
            dependencies: [
                "BurstPoolRedis",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
    ],
    cLanguageStandard: .c11
)
