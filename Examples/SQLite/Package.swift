// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A pool of SQLite connections. SQLite's library is the system's: Debian's libsqlite3-dev, or the one of macOS.
let package = Package(
    name: "sqlite-pool",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: [])
    ],
    targets: [
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .executableTarget(
            name: "SQLitePool",
            dependencies: ["CSQLite", .product(name: "BurstPool", package: "swift-burst-pool")],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
        ),
    ]
)
