// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Counts instructions and allocations, which do not depend on the load of the machine: see README.md.
let package = Package(
    name: "instruction-guard",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "CAllocationCount", targets: ["CAllocationCount"])
    ],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: ["Observability", "Datadog"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CAllocationCount"),
        .target(
            name: "CoreOperations",
            dependencies: [.product(name: "CBurstPool", package: "swift-burst-pool")]
        ),
        .executableTarget(
            name: "instruction-guard",
            dependencies: [
                "CAllocationCount",
                "CoreOperations",
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolDatadog", package: "swift-burst-pool"),
                .product(name: "BurstPoolObservability", package: "swift-burst-pool"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/instruction-guard"
        ),
    ],
    cLanguageStandard: .c11
)
