// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Has the server kill several random connections of the pool a second.
struct Chaos: Sendable {
    let control: any ControlConnection
    let context: LoadContext
    let kills: KillCount

    /// Kills connections until the load ends.
    func run() async {
        // No task has this stream of random numbers.
        var random = SplitMix64(seed: context.seed, stream: .max)
        while !context.stop.isRaised, context.elapsed < context.schedule.length {
            try? await Task.sleep(for: .milliseconds(40) + random.span(mean: .milliseconds(120)))
            do {
                try await kill(&random)
            } catch {
                context.stop.raise(.failed("The control connection failed: \(describe(error))"))
            }
        }
    }

    /// Kills one connection, or all of them in 5 % of the calls.
    private func kill(_ random: inout SplitMix64) async throws {
        let victims = try await control.poolConnections()
        guard let one = victims.randomElement(using: &random) else { return }
        let killsAll = Int.random(in: 0..<20, using: &random) == 0
        var killed = 0
        for victim in killsAll ? victims : [one] where try await control.kill(victim) { killed += 1 }
        kills.add(killed)
        if killsAll { context.journal.note("killed all \(killed) connections", at: context.elapsed) }
    }
}

/// The number of killed connections.
final class KillCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add(_ number: Int) { count.add(number, ordering: .relaxed) }
}
