// SPDX-License-Identifier: Apache-2.0

public import BurstPool

/// A pool whose limits a ``FleetMember`` sets. `ConnectionPool` is one.
public protocol FleetPool: Sendable {
    /// How many connections the pool has, and how many callers wait. O(connections).
    var fleetDemand: FleetDemand { get }

    /// Applies limits: once this call has returned, the pool takes no permit above them.
    ///
    /// - Parameters:
    ///   - limits: What the pool may use from now on.
    ///   - previous: What this member has applied before; `nil` for the first call.
    /// - Throws: An error if the pool does not accept the limits. None if the pool was shut down.
    func applyFleetLimits(_ limits: FleetLimits, after previous: FleetLimits?) throws
}

/// What a pool uses and needs at one moment.
public struct FleetDemand: Sendable, Hashable {
    /// All connections, also while they open or close.
    public var total: Int
    /// The callers that wait for a connection.
    public var waiting: Int
    /// Whether the pool was shut down, so that it opens no more connections.
    public var hasEnded: Bool

    /// Creates a demand.
    public init(total: Int, waiting: Int, hasEnded: Bool = false) {
        self.total = total
        self.waiting = waiting
        self.hasEnded = hasEnded
    }
}

/// What a pool may use.
public enum FleetLimits: Sendable, Hashable {
    /// The process is not a member: the pool opens no connection, and closes those that it has as they are released.
    case suspended
    /// The pool may have `floor` connections, and `share` more while it needs them.
    case connections(floor: Int, share: Int)
}

extension ConnectionPool: FleetPool {
    public var fleetDemand: FleetDemand {
        let statistics = statistics
        return FleetDemand(total: statistics.total, waiting: statistics.waiting, hasEnded: statistics.maxSize == 0)
    }

    /// Calls `resize(maxSize: floor, burstLimit: floor + share)`. A pool that is suspended is paused, and its connections are
    /// closed: idle ones at once, and those in use when they are released.
    public func applyFleetLimits(_ limits: FleetLimits, after previous: FleetLimits?) throws {
        switch limits {
        case .suspended:
            pause()
            evictAll()
        case .connections(let floor, let share):
            do {
                try resize(maxSize: floor, burstLimit: share == 0 ? nil : floor + share)
            } catch let error where error.code == .poolShutDown {
                return
            }
            if previous == .suspended { resume() }
        }
    }
}
