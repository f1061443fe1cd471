// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// An HTTP service that stores links in Redis or PostgreSQL and uses the pool for its connections. See README.md.
let package = Package(
    name: "link-server",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "link-server", targets: ["LinkServer"])
    ],
    dependencies: [
        .package(
            name: "swift-burst-pool",
            path: "../..",
            traits: ["Redis", "Postgres", "Observability", "Datadog", "ServiceLifecycle", "ConfigReader"]
        ),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ],
    targets: [
        .target(
            name: "LinkService",
            dependencies: [
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolConfigReader", package: "swift-burst-pool"),
                .product(name: "BurstPoolDatadog", package: "swift-burst-pool"),
                .product(name: "BurstPoolObservability", package: "swift-burst-pool"),
                .product(name: "BurstPoolPostgres", package: "swift-burst-pool"),
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "BurstPoolServiceLifecycle", package: "swift-burst-pool"),
                .product(name: "BurstPoolSizing", package: "swift-burst-pool"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            resources: [
                .embedInCode("Resources/pool.html"), .embedInCode("Resources/pool.css"),
                .embedInCode("Resources/page.js"), .embedInCode("Resources/chart.js"),
                .embedInCode("Resources/samples.js"), .embedInCode("Resources/leases.js"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "LinkServer",
            dependencies: [
                "LinkService",
                .product(name: "BurstPool", package: "swift-burst-pool"),
                .product(name: "BurstPoolDatadog", package: "swift-burst-pool"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "ServerTestSupport",
            dependencies: [
                .product(name: "BurstPoolPostgres", package: "swift-burst-pool"),
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/ServerTestSupport",
            swiftSettings: swiftSettings
        ),
        // Tests of the service in the test process. HummingbirdTesting is not used, because its client with TLS takes minutes to
        // compile.
        .testTarget(
            name: "LinkServiceTests",
            dependencies: [
                "LinkService",
                "ServerTestSupport",
                .product(name: "BurstPoolDatadog", package: "swift-burst-pool"),
                .product(name: "BurstPoolPostgres", package: "swift-burst-pool"),
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "BurstPoolSizing", package: "swift-burst-pool"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        // Tests of the program as a process under load.
        .testTarget(
            name: "LinkServerTests",
            dependencies: [
                "LinkServer",
                "ServerTestSupport",
                .product(name: "BurstPoolRedis", package: "swift-burst-pool"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: swiftSettings
        ),
    ]
)
