// SPDX-License-Identifier: Apache-2.0

/// Keeps the budgets of fleets.
///
/// Each call is one atomic operation on the fleet that the request names. What a store must do, and why, is in decision 20 of
/// the repository. ``RedisFleetStore`` is a store on Redis and Valkey.
///
/// The methods are called from any task, by one member at most once at a time. An error that they throw means that the store
/// could not be reached, and that it may or may not have executed the request. The member calls again later.
public protocol FleetStore: Sendable {
    /// Admits a process if the budget has room for its floor. A process that is a member already stays one.
    func join(_ request: FleetRequest) async throws -> FleetReply

    /// Extends the terms of a member, and sets its share to what it wants, as far as the budget allows.
    ///
    /// - Parameters:
    ///   - request: The member that renews, and the number of this request.
    ///   - held: The share that the member uses now. A store that has lost writes records it again.
    ///   - wanted: The share that the member wants from now on. More than it had draws the difference from the burst budget,
    ///     and less releases it.
    func renew(_ request: FleetRequest, held: Int, wanted: Int) async throws -> FleetReply

    /// Removes a member that has no connections, and its share. Does nothing if it is not a member.
    func leave(_ request: FleetRequest) async throws
}

/// Which member asks for something.
public struct FleetRequest: Sendable, Hashable {
    /// The ``FleetConfiguration/name`` of the fleet.
    public var fleet: String
    /// What the member believes that all members agree on.
    public var settings: FleetSettings
    /// The random name of the member.
    public var member: String
    /// The number of this request of the member: greater than those of all its requests before. A store ignores a
    /// request whose number is not greater than the latest one that it has executed for this member.
    public var number: Int

    /// Creates a request.
    public init(fleet: String, settings: FleetSettings, member: String, number: Int) {
        self.fleet = fleet
        self.settings = settings
        self.member = member
        self.number = number
    }
}

/// What a store answers to ``FleetStore/join(_:)`` and ``FleetStore/renew(_:held:wanted:)``.
public enum FleetReply: Sendable, Hashable {
    /// The process is a member for another term, and its share is the one given here.
    case granted(share: Int, FleetState)
    /// The process is not a member, because the budget has no room for its floor.
    case full(FleetState)
    /// The process is not a member, because the store admits no new members until its recovery has ended.
    case recovering(FleetState)
    /// The store keeps a fleet of this name with these other settings.
    case differentSettings(FleetSettings)
    /// The store has executed a later request of this member, and has ignored this one.
    case outdated
}

/// The state of a fleet at the moment of a reply.
public struct FleetState: Sendable, Hashable {
    /// The number of members, including those that were killed and whose terms have not ended.
    public var members: Int
    /// The sum of all shares.
    public var drawn: Int
    /// How long the store still recovers from a restart, in which nobody joins or draws; zero if it does not.
    public var recovery: Duration

    /// Creates a state.
    public init(members: Int, drawn: Int, recovery: Duration = .zero) {
        self.members = members
        self.drawn = drawn
        self.recovery = recovery
    }
}
