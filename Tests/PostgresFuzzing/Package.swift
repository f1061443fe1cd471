// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Checks the properties of the target PostgresFuzzing of the enclosing package under libFuzzer. See README.md.
let package = Package(
    name: "postgres-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: ["Postgres"])
    ],
    targets: [
        // A link to Tests/FuzzHarness, which is a target of the enclosing package too.
        .target(name: "FuzzHarness", swiftSettings: swiftSettings),
        .target(
            name: "PostgresFuzzProperties",
            dependencies: ["FuzzHarness", .product(name: "BurstPoolPostgres", package: "swift-burst-pool")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(name: "FuzzPostgres", dependencies: ["PostgresFuzzProperties"], swiftSettings: swiftSettings),
    ]
)
