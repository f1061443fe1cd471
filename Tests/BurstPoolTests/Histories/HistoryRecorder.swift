// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Records what happens to one pool, in a log for each thread, so that recording does not order the threads.
///
/// A thread synchronizes with the others once, when it makes its log.
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

    /// Adds what all threads have recorded. Call this when the threads have ended their work.
    func collect(into history: inout History) {
        for log in logs.withLock({ $0 }) {
            history.events += log.events
            history.connectionUses += log.connectionUses
        }
    }
}

/// What one thread has recorded.
///
/// Sendable, because only its thread writes, and other threads read after that has ended.
final class ThreadLog: @unchecked Sendable {
    fileprivate private(set) weak var recorder: HistoryRecorder?
    fileprivate private(set) var events: [HistoryEvent] = []
    fileprivate private(set) var connectionUses: [ConnectionUse] = []
    private var lastNumber: UInt64
    private var random: Random

    fileprivate init(of recorder: HistoryRecorder, number: UInt64) {
        self.recorder = recorder
        lastNumber = number << 40
        random = Random(seed: number)
        events.reserveCapacity(1 << 16)
        connectionUses.reserveCapacity(1 << 12)
    }

    func append(_ event: HistoryEvent) { events.append(event) }
    func append(_ use: ConnectionUse) { connectionUses.append(use) }

    /// Returns a number that no other call gets.
    func uniqueNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// Does nothing, works a little, yields, or sleeps.
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

    // MARK: State of the thread

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

/// Returns the current moment in nanoseconds. Earlier operations have happened, and later ones have not begun.
func historyNow() -> UInt64 {
    // The barriers keep loads and stores from moving across the clock read.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let now = DispatchTime.now().uptimeNanoseconds
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return now
}
