// SPDX-License-Identifier: Apache-2.0

/// Something that has happened to a member of a fleet.
public struct FleetEvent: Sendable, Hashable {
    /// What has happened.
    @nonexhaustive
    public enum Kind: Sendable, Hashable {
        /// The store has admitted the process. The state counts this member.
        case joined(FleetState)
        /// The store does not admit the process now, because the budget has no room or the store recovers. The process asks
        /// again until it has joined, and reports this once.
        case waitingToJoin(FleetState)
        /// The store has forgotten this member, and the budget has no room for it any more. The pool is suspended.
        case wasRefused(FleetState)
        /// The store was not reached for half the ``FleetSettings/memberTerm``. What the pool does is
        /// ``FleetConfiguration/whenMembershipEnds``.
        case membershipEnded
        /// The share has changed, because the member has drawn or released, or because the store granted less.
        case shareChanged(from: Int, to: Int)
        /// The term of the share has ended without a renewal. The pool is back at its floor.
        case shareTermEnded(share: Int)
        /// A request failed or was not answered in time. The member goes on with what it may use, and tries again. The error is
        /// ``FleetMember/latestStoreError``.
        case storeUnreachable
        /// The store has answered again.
        case storeReachable
    }

    /// The ``FleetConfiguration/name`` of the fleet.
    public let fleet: String
    /// What has happened.
    public let kind: Kind
    /// The state of the member after it.
    public let status: FleetMemberStatus
}

/// What a member of a fleet may use and needs at one moment.
public struct FleetMemberStatus: Sendable, Hashable {
    /// Whether the process is a member.
    public let isMember: Bool
    /// The limits that the pool has now.
    public let limits: FleetLimits
    /// The part of the burst budget that the member has drawn.
    public let share: Int
    /// What the pool used and needed in the latest look.
    public let demand: FleetDemand
    /// Whether the latest request to the store was answered. `true` before the first request.
    public let reachesStore: Bool
}
