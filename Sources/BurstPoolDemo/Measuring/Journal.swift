import Synchronization

/// What happened, in words.
final class Journal: Sendable {
    struct Entry: Sendable {
        let time: Duration
        let text: String
    }

    private let entries = Mutex<[Entry]>([])

    func note(_ text: String, at time: Duration) {
        entries.withLock { $0.append(Entry(time: time, text: text)) }
    }

    /// All entries after the first so many.
    func entries(after count: Int = 0) -> [Entry] {
        entries.withLock { Array($0.dropFirst(count)) }
    }
}
