import BurstPool
import BurstPoolRedis
import Synchronization

/// One task of the load: asks the pool for a connection, uses it, thinks, and does so again while it is its turn.
final class Worker {
    private let context: LoadContext
    private let progress: Progress
    private var exerciser: Exerciser
    private var random: SplitMix64
    private var tally = Tally()

    init(number: Int, context: LoadContext, progress: Progress) {
        self.context = context
        self.progress = progress
        random = SplitMix64(seed: context.seed, stream: UInt64(number) * 2)
        exerciser = Exerciser(
            ledger: Ledger(prefix: context.keyPrefix, task: number),
            random: SplitMix64(seed: context.seed, stream: UInt64(number) * 2 + 1),
            secondsToLive: 3_600 + Int(context.schedule.length.components.seconds)
        )
    }

    func run() async -> (tally: Tally, ledger: Ledger) {
        for window in context.schedule.windows(ofTask: exerciser.ledger.task) {
            await sleep(until: window.lowerBound)
            while !context.stop.isRaised, context.elapsed < window.upperBound {
                await request()
                await think()
            }
        }
        return (tally, exerciser.ledger)
    }

    // MARK: - Requests

    private func request() async {
        let phase = context.schedule.phase(at: context.elapsed)
        do {
            switch Int.random(in: 0..<64, using: &random) {
            case 0 where context.expectedErrors.chaos: try await cancelledRequest()
            case 1...8: try await leasedRequest(phase)
            default: try await scopedRequest(phase)
            }
        } catch {
            await failed(error)
        }
    }

    /// As most programs would do it.
    private func scopedRequest(_ phase: Phase) async throws {
        let exercise = Exercise.random(using: &random)
        let asked = ContinuousClock.now
        var lent = asked
        let commands = try await context.pool.withConnection { connection in
            lent = .now
            return try await exerciser.perform(exercise, on: connection)
        }
        succeeded(commands, phase, asked: asked, lent: lent)
    }

    /// The same by way of a lease.
    private func leasedRequest(_ phase: Phase) async throws {
        let exercise = Exercise.random(using: &random)
        let asked = ContinuousClock.now
        let lease = try await context.pool.acquire()
        let lent = ContinuousClock.now
        let commands = try await exerciser.perform(exercise, on: lease.connection)
        lease.release()
        succeeded(commands, phase, asked: asked, lent: lent)
    }

    /// A request that is cancelled at any point: while it waits, while a connection is being opened for it, or while its
    /// command is under way. It changes nothing on the server, because a command that was cancelled may be carried out
    /// after the next one, which comes on another connection.
    private func cancelledRequest() async throws {
        let pool = context.pool
        let token = "cancelled \(random.next())"
        let request = Task {
            let reply = try await pool.withConnection { try await $0.send("ECHO", token).string }
            return reply == token
        }
        try? await Task.sleep(for: random.span(mean: .milliseconds(1)))
        request.cancel()
        do {
            let isRight = try await request.value
            if !isRight {
                throw WrongReply(task: exerciser.ledger.task, command: "ECHO", reply: .null, expected: token)
            }
            tally.commands += 1
        } catch is CancellationError {
            tally.cancelled += 1
        }
    }

    private func succeeded(
        _ commands: Int,
        _ phase: Phase,
        asked: ContinuousClock.Instant,
        lent: ContinuousClock.Instant
    ) {
        tally.commands += commands
        tally.record(phase, acquire: lent - asked, request: .now - asked)
        progress.commands.add(commands, ordering: .relaxed)
    }

    private func failed(_ error: any Error) async {
        progress.errors.add(1, ordering: .relaxed)
        if let wrong = error as? WrongReply {
            tally.wrongReplies.append(wrong.description)
            context.stop.raise(.failed("wrong reply: \(wrong)"))
        } else {
            let isExpected = context.expectedErrors.contains(error)
            tally.count(error, isExpected: isExpected)
            if !isExpected { context.stop.raise(.failed(describe(error))) }
        }
        // A server that refuses everything is not to be asked as fast as it can refuse.
        try? await Task.sleep(for: .milliseconds(1))
    }

    // MARK: - Pauses

    private func think() async {
        let mean = context.schedule.thinkingTime(in: context.schedule.phase(at: context.elapsed))
        guard mean > .zero else { return }
        try? await Task.sleep(for: random.span(mean: mean))
    }

    /// Sleeps in naps, so that it notices when the load ends before its time.
    private func sleep(until time: Duration) async {
        while !context.stop.isRaised, !Task.isCancelled {
            let remaining = time - context.elapsed
            guard remaining > .zero else { return }
            try? await Task.sleep(for: min(remaining, .milliseconds(100)))
        }
    }
}
