// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package in plain C that links the core.
let package = Package(
    name: "embed-c",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "EmbedC",
            dependencies: [.product(name: "CBurstPool", package: "swift-burst-pool")]
        )
    ],
    cLanguageStandard: .c11
)
