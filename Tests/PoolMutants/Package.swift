// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of only the pool, its cores and the tests of both, so that a mutant is built quickly and without dependencies.

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

#if os(macOS)
    let concurrencyKitPkgConfig: String? = "ck"
#else
    let concurrencyKitPkgConfig: String? = nil
#endif

let package = Package(
    name: "pool-mutants",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(
            name: "CConcurrencyKit",
            path: "CSources/CConcurrencyKit",
            pkgConfig: concurrencyKitPkgConfig
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
            name: "BurstPoolSwiftCores",
            dependencies: ["BurstPool"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolTests",
            dependencies: ["BurstPool", "BurstPoolSwiftCores", "BurstPoolTesting"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "BurstPoolSwiftCoresTests",
            dependencies: ["BurstPoolSwiftCores", "BurstPool"],
            swiftSettings: swiftSettings
        ),
    ],
    cLanguageStandard: .c11
)
