// SPDX-License-Identifier: Apache-2.0

/// The numbers of messages, datagrams and bytes that a client sent and dropped since it was created.
///
/// A *message* is one metric, event or service check as it is sent. Values that are aggregated between two flushes make one
/// message. At any moment, ``messagesAccepted`` is the sum of ``messagesSent``, ``messagesWaiting``, and the messages that
/// were dropped after they were accepted: for ``DropReason/agentUnreachable``, ``DropReason/agentTooSlow`` and
/// ``DropReason/refusedBySystem``.
///
/// A dropped message with an aggregated count or gauge counts as dropped, but its value is not lost: the next flush sends it
/// in a new message.
public struct DogStatsDStatistics: Sendable, Hashable {
    /// The reason why a message was not sent. New reasons may be added, so a `switch` needs a `default`.
    public struct DropReason: Sendable, Hashable, CaseIterable, CustomStringConvertible {
        enum Kind: Int, Sendable, CaseIterable {
            case invalid, tooLarge, queueFull, shutDown, agentUnreachable, agentTooSlow, refusedBySystem
        }

        let kind: Kind

        /// The message has no valid name or title, its value is not a finite number, or its timestamp is not after 1970.
        public static let invalid = DropReason(kind: .invalid)
        /// The message does not fit into a datagram.
        public static let tooLarge = DropReason(kind: .tooLarge)
        /// The queue of datagrams is full.
        public static let queueFull = DropReason(kind: .queueFull)
        /// The client was shut down.
        public static let shutDown = DropReason(kind: .shutDown)
        /// Nothing listens at the address, the address does not exist, or there is no route to it.
        public static let agentUnreachable = DropReason(kind: .agentUnreachable)
        /// The buffer of the agent or of the system was full for 100 milliseconds, and has been full since.
        public static let agentTooSlow = DropReason(kind: .agentTooSlow)
        /// The system refused the datagram, because it is too large or because sending is not permitted.
        public static let refusedBySystem = DropReason(kind: .refusedBySystem)

        public static var allCases: [DropReason] { Kind.allCases.map(DropReason.init) }
        public var description: String { "\(kind)" }
    }

    /// The number of accepted metrics.
    public internal(set) var metrics = 0
    /// The number of accepted events.
    public internal(set) var events = 0
    /// The number of accepted service checks.
    public internal(set) var serviceChecks = 0

    /// The number of accepted messages that were neither sent nor dropped yet.
    public internal(set) var messagesWaiting = 0
    /// The number of messages that were passed to the system and not reported as lost.
    ///
    /// UDP can lose messages without a report. If the system reports afterwards that nothing listened at the address, this
    /// number decreases and ``DropReason/agentUnreachable`` increases.
    public internal(set) var messagesSent = 0
    /// The number of datagrams that were passed to the system and not reported as lost.
    public internal(set) var datagramsSent = 0
    /// The number of bytes in the sent datagrams.
    public internal(set) var bytesSent = 0
    /// The number of datagrams that were dropped after their messages had been accepted.
    public internal(set) var datagramsDropped = 0
    /// The number of bytes in the dropped datagrams.
    public internal(set) var bytesDropped = 0

    var dropped = DropCounts()

    /// The number of accepted messages.
    public var messagesAccepted: Int { metrics + events + serviceChecks }

    /// Returns the number of messages that were dropped for a reason.
    public func messagesDropped(_ reason: DropReason) -> Int { dropped[reason.kind] }

    /// The number of messages that were dropped for any reason.
    public var messagesDropped: Int { dropped.total }
}

/// A number for each drop reason.
struct DropCounts: Sendable, Hashable {
    private var counts = [Int](repeating: 0, count: DogStatsDStatistics.DropReason.Kind.allCases.count)

    var total: Int { counts.reduce(0, +) }

    subscript(_ kind: DogStatsDStatistics.DropReason.Kind) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }
}

extension DogStatsDStatistics: CustomStringConvertible {
    public var description: String {
        var parts = ["\(messagesSent) messages sent in \(datagramsSent) datagrams", "\(messagesWaiting) waiting"]
        for reason in DropReason.allCases where messagesDropped(reason) > 0 {
            parts.append("\(messagesDropped(reason)) dropped (\(reason))")
        }
        return parts.joined(separator: ", ")
    }
}
