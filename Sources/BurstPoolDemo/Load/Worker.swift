// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// One task of the load. During its working times it repeatedly acquires a connection, uses it, and pauses.
final class Worker<Server: Backend> {
    private let context: LoadContext
    private let backend: Server
    private let pool: DemoPool<Server>
    private let progress: Progress
    private var exerciser: Server.TaskExerciser
    private var random: SplitMix64
    private var tally = Tally()

    init(number: Int, context: LoadContext, backend: Server, pool: DemoPool<Server>, progress: Progress) {
        self.context = context
        self.backend = backend
        self.pool = pool
        self.progress = progress
        random = SplitMix64(seed: context.seed, stream: UInt64(number) * 2)
        exerciser = backend.makeExerciser(
            of: number,
            SplitMix64(seed: context.seed, stream: UInt64(number) * 2 + 1)
        )
    }

    func run() async -> (tally: Tally, ledger: Ledger) {
        for window in context.schedule.windows(ofTask: exerciser.ledger.task) {
            await sleep(until: window.lowerBound)
            while !context.stop.isRaised, context.elapsed < window.upperBound {
                await request()
                await pause()
            }
        }
        return (tally, exerciser.ledger)
    }

    // MARK: - Requests

    private func request() async {
        let phase = context.schedule.phase(at: context.elapsed)
        do {
            switch Int.random(in: 0..<64, using: &random) {
            case 0 where context.chaos: try await cancelledRequest()
            case 1...8: try await leasedRequest(phase)
            default: try await scopedRequest(phase)
            }
        } catch {
            await failed(error)
        }
    }

    /// Uses `withConnection`, like most programs.
    private func scopedRequest(_ phase: Phase) async throws {
        let exercise = Exercise.random(using: &random)
        let began = ContinuousClock.now
        var leased = began
        let commands = try await pool.withConnection { connection in
            leased = .now
            return try await exerciser.perform(exercise, on: connection)
        }
        succeeded(commands, phase, began: began, leased: leased)
    }

    /// Uses `acquire` and a lease.
    private func leasedRequest(_ phase: Phase) async throws {
        let exercise = Exercise.random(using: &random)
        let began = ContinuousClock.now
        let lease = try await pool.acquire()
        let leased = ContinuousClock.now
        let commands = try await exerciser.perform(exercise, on: lease.connection)
        lease.release()
        succeeded(commands, phase, began: began, leased: leased)
    }

    /// Cancels a request at a random moment: while it waits, while a connection is opening for it, or during its command.
    ///
    /// The command changes nothing on the server, because the server may carry out a cancelled command after the next one,
    /// which arrives on another connection.
    private func cancelledRequest() async throws {
        let (backend, pool) = (backend, pool)
        let token = "cancelled \(random.next())"
        let request = Task {
            try await pool.withConnection { try await backend.echo(token, on: $0) }
        }
        try? await Task.sleep(for: random.span(mean: .milliseconds(1)))
        request.cancel()
        do {
            let reply = try await request.value
            guard reply == token else {
                let text = reply.map { "'\($0)'" } ?? "nothing"
                throw WrongReply(task: exerciser.ledger.task, command: "a text", reply: text, expected: "'\(token)'")
            }
            tally.commands += 1
        } catch is CancellationError {
            tally.cancelled += 1
        }
    }

    private func succeeded(
        _ commands: Int,
        _ phase: Phase,
        began: ContinuousClock.Instant,
        leased: ContinuousClock.Instant
    ) {
        tally.commands += commands
        tally.record(phase, acquire: leased - began, request: .now - began)
        progress.commands.add(commands, ordering: .relaxed)
    }

    private func failed(_ error: any Error) async {
        progress.errors.add(1, ordering: .relaxed)
        if let wrong = error as? WrongReply {
            tally.wrongReplies.append(wrong.description)
            context.stop.raise(.failed("Wrong reply: \(wrong)"))
        } else {
            let isExpected = context.chaos && backend.isCausedByKill(error)
            tally.count(error, isExpected: isExpected)
            if !isExpected { context.stop.raise(.failed(describe(error))) }
        }
        // Limits the rate of requests to a server that refuses all of them.
        try? await Task.sleep(for: .milliseconds(1))
    }

    // MARK: - Pauses

    private func pause() async {
        let mean = context.schedule.pause(in: context.schedule.phase(at: context.elapsed))
        guard mean > .zero else { return }
        try? await Task.sleep(for: random.span(mean: mean))
    }

    /// Sleeps in short intervals to notice an early end of the load.
    private func sleep(until time: Duration) async {
        while !context.stop.isRaised, !Task.isCancelled {
            let remaining = time - context.elapsed
            guard remaining > .zero else { return }
            try? await Task.sleep(for: min(remaining, .milliseconds(100)))
        }
    }
}
