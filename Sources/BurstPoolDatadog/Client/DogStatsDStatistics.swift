/// What has become of everything that a client was given, from its start.
///
/// A *message* is one metric, event or service check as it is sent; counts and gauges that are put together between two
/// flushes make one message. At any moment, ``messagesAccepted`` is ``messagesSent``, plus ``messagesWaiting``, plus those
/// that were dropped after they had been accepted: for ``DropReason/agentUnreachable``, ``DropReason/agentTooSlow`` and
/// ``DropReason/refusedBySystem``.
public struct DogStatsDStatistics: Sendable, Hashable {
    /// Why a message was not sent. New reasons can be added, so a `switch` needs a `default`.
    public struct DropReason: Sendable, Hashable, CaseIterable, CustomStringConvertible {
        enum Kind: Int, Sendable, CaseIterable {
            case invalid, tooLarge, queueFull, shutDown, agentUnreachable, agentTooSlow, refusedBySystem
        }

        let kind: Kind

        /// It has no name or title left that the protocol allows, its value is not a finite number, or its time is not
        /// after 1970.
        public static let invalid = DropReason(kind: .invalid)
        /// It does not fit into a datagram.
        public static let tooLarge = DropReason(kind: .tooLarge)
        /// As many datagrams wait as may wait.
        public static let queueFull = DropReason(kind: .queueFull)
        /// The client had been shut down.
        public static let shutDown = DropReason(kind: .shutDown)
        /// Nobody listens at the address, it does not exist, or no way leads there.
        public static let agentUnreachable = DropReason(kind: .agentUnreachable)
        /// The agent, or the system's buffer before it, had no room for 100 milliseconds.
        public static let agentTooSlow = DropReason(kind: .agentTooSlow)
        /// The system does not send it for another reason: the datagram is larger than it allows, or sending is forbidden.
        public static let refusedBySystem = DropReason(kind: .refusedBySystem)

        public static var allCases: [DropReason] { Kind.allCases.map(DropReason.init) }
        public var description: String { "\(kind)" }
    }

    /// Metrics among the messages that were accepted.
    public internal(set) var metrics = 0
    /// Events among the messages that were accepted.
    public internal(set) var events = 0
    /// Service checks among the messages that were accepted.
    public internal(set) var serviceChecks = 0

    /// Messages in datagrams that wait, or that one being sent, or not yet full.
    public internal(set) var messagesWaiting = 0
    /// Messages handed to the system and not heard to be lost.
    ///
    /// Over UDP more may be lost than is heard of; and where the system reports afterwards that nobody listened, this
    /// number goes down, in favour of ``DropReason/agentUnreachable``.
    public internal(set) var messagesSent = 0
    /// Datagrams handed to the system and not heard to be lost.
    public internal(set) var datagramsSent = 0
    /// Bytes in these datagrams.
    public internal(set) var bytesSent = 0
    /// Datagrams that were dropped as a whole, after their messages had been accepted.
    public internal(set) var datagramsDropped = 0
    /// Bytes in these datagrams.
    public internal(set) var bytesDropped = 0

    var dropped = DropCounts()

    /// Everything that was accepted.
    public var messagesAccepted: Int { metrics + events + serviceChecks }

    /// How many messages were dropped for a reason.
    public func messagesDropped(_ reason: DropReason) -> Int { dropped[reason.kind] }

    /// How many messages were dropped for any reason.
    public var messagesDropped: Int { dropped.total }
}

/// A number for each reason.
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
