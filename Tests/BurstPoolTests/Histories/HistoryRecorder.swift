import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Records what happens to one pool, in a log for each thread, so that recording orders nothing between threads.
///
/// A thread meets the others once, when it makes its log.
final class HistoryRecorder: Sendable {
    private let logs = Mutex<[ThreadLog]>([])

    /// The log of the calling thread.
    var log: ThreadLog {
        if let log = ThreadLog.current, log.recorder === self { return log }
        let log = logs.withLock { logs in
            let log = ThreadLog(of: self, number: UInt64(logs.count + 1))
            logs.append(log)
            return log
        }
        ThreadLog.current = log
        return log
    }

    /// What all threads have recorded. To be called when they have ended what they did.
    func collect(into history: inout History) {
        for log in logs.withLock({ $0 }) {
            history.events += log.events
            history.borrowings += log.borrowings
        }
    }
}

/// What one thread has recorded.
///
/// Sendable because its thread alone writes, and it is read when that has ended.
final class ThreadLog: @unchecked Sendable {
    fileprivate private(set) weak var recorder: HistoryRecorder?
    fileprivate private(set) var events: [HistoryEvent] = []
    fileprivate private(set) var borrowings: [Borrowing] = []
    private var lastNumber: UInt64
    private var random: Random

    fileprivate init(of recorder: HistoryRecorder, number: UInt64) {
        self.recorder = recorder
        lastNumber = number << 40
        random = Random(seed: number)
        events.reserveCapacity(1 << 16)
        borrowings.reserveCapacity(1 << 12)
    }

    func append(_ event: HistoryEvent) { events.append(event) }
    func append(_ borrowing: Borrowing) { borrowings.append(borrowing) }

    /// A number that no other call gets.
    func uniqueNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// Nothing, a little work, another thread's turn, or a nap.
    func pauseSomewhat() {
        switch random.number(0...255) {
        case 0..<16:
            let cell = Atomic(0)
            for _ in 0..<random.number(0...300) { cell.add(1, ordering: .relaxed) }
        case 16..<28: sched_yield()
        case 28: usleep(UInt32(random.number(0...50)))
        default: break
        }
    }

    // MARK: The thread's own

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { value in
            #if canImport(Darwin)
                Unmanaged<ThreadLog>.fromOpaque(value).release()
            #else
                if let value { Unmanaged<ThreadLog>.fromOpaque(value).release() }
            #endif
        }
        return key
    }()

    fileprivate static var current: ThreadLog? {
        get { pthread_getspecific(key).map { Unmanaged<ThreadLog>.fromOpaque($0).takeUnretainedValue() } }
        set {
            if let old = pthread_getspecific(key) { Unmanaged<ThreadLog>.fromOpaque(old).release() }
            pthread_setspecific(key, newValue.map { Unmanaged.passRetained($0).toOpaque() })
        }
    }
}

/// The moment, in nanoseconds. What comes before has happened, and what comes after has not begun.
func historyNow() -> UInt64 {
    // The clock is read between two barriers, or loads could be moved across it.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let now = DispatchTime.now().uptimeNanoseconds
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return now
}
