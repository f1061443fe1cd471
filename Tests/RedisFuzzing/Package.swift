// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Checks the properties of the target RedisFuzzing of the enclosing package under libFuzzer. See README.md.
let package = Package(
    name: "redis-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: ["Redis"]),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // A link to Tests/FuzzHarness, which is a target of the enclosing package too.
        .target(name: "FuzzHarness", swiftSettings: swiftSettings),
        .target(
            name: "RedisFuzzProperties",
            dependencies: [
                "FuzzHarness",
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(name: "FuzzURL", dependencies: ["RedisFuzzProperties"], swiftSettings: swiftSettings),
        .executableTarget(name: "FuzzReply", dependencies: ["RedisFuzzProperties"], swiftSettings: swiftSettings),
    ]
)
