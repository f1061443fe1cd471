import Synchronization

/// Kills connections of the pool at random, from the server's side, several a second.
struct Chaos: Sendable {
    let control: ControlConnection
    let clientName: String
    let context: LoadContext
    let kills: KillCount

    /// Until the load ends.
    func run() async {
        // A stream of its own: no task has that number.
        var random = SplitMix64(seed: context.seed, stream: .max)
        while !context.stop.isRaised, context.elapsed < context.schedule.length {
            try? await Task.sleep(for: .milliseconds(40) + random.span(mean: .milliseconds(120)))
            do {
                try await strike(&random)
            } catch {
                context.stop.raise(.failed("the control connection failed: \(describe(error))"))
            }
        }
    }

    /// Mostly one connection, now and then all of them.
    private func strike(_ random: inout SplitMix64) async throws {
        let victims = try await control.connections(named: clientName)
        guard let one = victims.randomElement(using: &random) else { return }
        let isStorm = Int.random(in: 0..<20, using: &random) == 0
        var killed = 0
        for victim in isStorm ? victims : [one] where try await control.kill(victim) { killed += 1 }
        kills.add(killed)
        if isStorm { context.journal.note("killed all \(killed) connections", at: context.elapsed) }
    }
}

/// How many connections have been killed.
final class KillCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add(_ number: Int) { count.add(number, ordering: .relaxed) }
}
