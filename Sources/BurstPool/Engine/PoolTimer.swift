/// The timer of those who wait: a task that sleeps until the earliest of their deadlines, while somebody waits.
///
/// The truth is the core's next deadline. Whoever lowers it calls ``arm(_:)``, which replaces the sleeper. A sleeper that
/// was replaced in the midst of its work finishes that, and calls ``arm(_:)`` itself if it has lowered the deadline.
@usableFromInline
final class PoolTimer: Sendable {
    private let sleeper = ReplaceableTask()

    @usableFromInline
    func arm<Strategy, Core>(_ engine: _PoolEngine<Strategy, Core>) {
        while let deadline = engine.core.nextDeadline {
            sleeper.replace { await Self.run(engine, until: deadline) }
            // A shutdown that came before this did not see the sleeper, which would keep the engine until the deadline.
            if engine.core.isShutDown { return disarm() }
            // Another one may have armed the timer for another deadline meanwhile, and this call have replaced its sleeper.
            if let now = engine.core.nextDeadline, now != deadline { continue }
            return
        }
    }

    /// Ends the sleeper. To be called when nobody can wait any more, so that it does not keep the engine.
    func disarm() {
        sleeper.cancel()
    }

    private static func run<Strategy, Core>(_ engine: _PoolEngine<Strategy, Core>, until first: UInt64) async {
        var deadline = first
        while true {
            do { try await engine.clock.sleep(until: deadline) } catch { return }
            let isMineToSeeTo = engine.expireWaiters()
            if Task.isCancelled {
                if isMineToSeeTo { engine.timer.arm(engine) }
                return
            }
            guard let next = engine.core.nextDeadline else { return }
            deadline = next
        }
    }
}
