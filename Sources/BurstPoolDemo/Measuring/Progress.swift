import Synchronization

/// How far one task has come, for those who watch. Its own for each task, so that watching costs the tasks nothing.
final class Progress: Sendable {
    let commands = Atomic<Int>(0)
    let errors = Atomic<Int>(0)
}
