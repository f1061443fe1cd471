// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package that uses BurstPool and nothing else: without the traits of the products that have dependencies of their own,
// nothing is fetched.
let package = Package(
    name: "embed-swift",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "EmbedSwift",
            dependencies: [.product(name: "BurstPool", package: "swift-burst-pool")]
        )
    ]
)
