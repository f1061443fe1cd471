// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Simulates fleets of 10, 100 and 1000 processes in virtual time, and compares how well they serve bursts with a static split and an
/// oracle.
///
///     swift run -c release FleetSimulation --picture fleet.svg
///
/// Ends with status 1 if the total of a fleet was exceeded.
@main
struct FleetSimulation {
    private static let usage = """
        usage: FleetSimulation [--processes N,N,…] [--seconds N] [--seed N] [--picture FILE]

          --processes  the numbers of processes to simulate (default: 10,100,1000)
          --seconds    the virtual time that is measured, in seconds (default: 300)
          --seed       the seed of the bursts and the faults (default: 1)
          --picture    writes a picture as SVG to this file

        """

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data(message.utf8))
        exit(status)
    }

    static func main() throws {
        var sizes = [10, 100, 1000]
        var seconds = 300
        var seed = 1
        var picture: String?
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst() else { fail(usage, status: 64) }
            switch name {
            case "--processes":
                sizes = value.split(separator: ",").compactMap { Int($0) }
                guard !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 }) else { fail(usage, status: 64) }
            case "--seconds":
                guard let number = Int(value), number > 0 else { fail(usage, status: 64) }
                seconds = number
            case "--seed":
                guard let number = Int(value) else { fail(usage, status: 64) }
                seed = number
            case "--picture": picture = value
            default: fail(usage, status: 64)
            }
        }

        print(FleetResult.heading)
        var results: [FleetResult] = []
        for (size, hasFaults) in sizes.flatMap({ [($0, false), ($0, true)] }) {
            // The default, and one that is shorter than the bursts.
            for releaseAfter in [Duration.seconds(5), .seconds(1)] {
                let scenario = FleetScenario(
                    processes: size,
                    hasFaults: hasFaults,
                    releaseAfter: releaseAfter,
                    seed: seed
                )
                do {
                    let result = FleetResult(scenario, try scenario.run(for: .seconds(seconds)))
                    print(result.row)
                    results.append(result)
                } catch let violation as SimulatedFleet.Violation {
                    fail("The total was exceeded with \(size) processes: \(violation)\n", status: 1)
                }
            }
        }
        for result in results where result.scenario.hasFaults { print(result.faults) }
        if let picture {
            try FleetPicture(results).svg().write(toFile: picture, atomically: true, encoding: .utf8)
        }
    }
}
