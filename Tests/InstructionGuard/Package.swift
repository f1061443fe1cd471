// swift-tools-version: 6.2
import PackageDescription

// Counts instructions and allocations where noise cannot reach: see README.md.
let package = Package(
    name: "instruction-guard",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "CAllocationCount", targets: ["CAllocationCount"])
    ],
    dependencies: [
        .package(name: "swift-burst-pool", path: "../..", traits: [])
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
            ],
            path: "Sources/instruction-guard"
        ),
    ],
    cLanguageStandard: .c11
)
