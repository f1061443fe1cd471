import Synchronization

/// The one timer of a pool: a task that sleeps until the earliest deadline of those who wait, while somebody does.
///
/// The truth is the core's next deadline. Whoever lowers it calls ``arm(_:)``, which replaces the sleeper. A sleeper that
/// was replaced in the midst of its work finishes that, and calls ``arm(_:)`` itself if it has lowered the deadline.
@usableFromInline
final class PoolTimer: Sendable {
    private final class Sleeper: Sendable {
        let task: Task<Void, Never>
        init(_ task: Task<Void, Never>) { self.task = task }
    }

    private let sleeper = Atomic<Unmanaged<Sleeper>?>(nil)

    deinit {
        disarm()
    }

    @usableFromInline
    func arm<Strategy, Core>(_ engine: _PoolEngine<Strategy, Core>) {
        while let deadline = engine.core.nextDeadline {
            let task = Task.detached { await Self.run(engine, until: deadline) }
            replace(with: Unmanaged.passRetained(Sleeper(task)))
            // A shutdown that came before this did not see the sleeper, which would keep the engine until the deadline.
            if engine.core.isShutDown { return disarm() }
            // Another one may have lowered the deadline and armed the timer, and this call may have replaced its sleeper.
            if let now = engine.core.nextDeadline, now < deadline { continue }
            return
        }
    }

    /// Ends the sleeper. To be called when nobody can wait any more, so that it does not keep the engine.
    func disarm() {
        replace(with: nil)
    }

    private func replace(with new: Unmanaged<Sleeper>?) {
        guard let old = sleeper.exchange(new, ordering: .acquiringAndReleasing) else { return }
        old.takeRetainedValue().task.cancel()
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
