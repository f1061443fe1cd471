// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The events of one pool or several as a sequence, for tests, tools and live displays.
///
/// ```swift
/// let events = ConnectionPoolEventStream(bufferSize: 1_000)
/// configuration.observer = events
/// // …
/// for await event in events { print(event.poolName, event.event) }
/// ```
///
/// The pool never waits for the consumer. If more events happen than fit into the buffer, the oldest ones are dropped and
/// counted in ``dropped``. The sequence has one consumer. It ends after ``finish()``, or when the consuming task is cancelled.
///
/// Unlike the rest of the library, the buffer is guarded by a lock, which is held for as long as it takes to add or remove one
/// event. For metrics, traces and logs in production, use an observer of your own or one of the products of this package.
public final class ConnectionPoolEventStream: ConnectionPoolObserver, AsyncSequence {
    /// An event and the pool in which it happened.
    public struct Element: Sendable {
        /// The ``ConnectionPoolConfiguration/name`` of the pool.
        public let poolName: String
        public let event: ConnectionPoolEvent
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: AsyncStream<Element>.AsyncIterator

        public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
            await base.next(isolation: actor)
        }
    }

    /// Whether the sequence also contains an event for every lease of an idle connection and for every release.
    public let observesLeases: Bool

    private let stream: AsyncStream<Element>
    private let continuation: AsyncStream<Element>.Continuation
    private let droppedCount = Atomic(0)

    /// Creates a sequence without events.
    ///
    /// - Parameters:
    ///   - bufferSize: How many events are kept for the consumer. At least 1. Default: 256.
    ///   - observesLeases: See ``ConnectionPoolObserver/observesLeases``. Default: `false`.
    public init(bufferSize: Int = 256, observesLeases: Bool = false) {
        self.observesLeases = observesLeases
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Swift.max(1, bufferSize)))
    }

    /// The number of events that were dropped because the buffer was full.
    public var dropped: Int { droppedCount.load(ordering: .relaxed) }

    public func connectionPool(named name: String, did event: ConnectionPoolEvent) {
        if case .dropped = continuation.yield(Element(poolName: name, event: event)) {
            droppedCount.add(1, ordering: .relaxed)
        }
    }

    /// Ends the sequence after the events that are in the buffer. Later events are ignored.
    public func finish() {
        continuation.finish()
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: stream.makeAsyncIterator())
    }
}
