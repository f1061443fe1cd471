// SPDX-License-Identifier: Apache-2.0

/// What all members of a fleet must agree on. The store refuses a member with other settings.
public struct FleetSettings: Sendable, Hashable {
    /// The greatest number of connections that all processes together may have. At least 1.
    public var total: Int

    /// The number of connections that each process may have in any case while it is a member. At least 1, because a pool
    /// has room for at least one connection.
    public var floor: Int

    /// The number of processes for which floors are reserved. ``floor`` × `processes` is at most ``total``.
    ///
    /// So many processes are admitted at once. Further ones are admitted while the rest of the budget has room for their
    /// floors. The floors of processes that were killed count until ``memberTerm`` has passed, so the number should
    /// include some replacements.
    public var processes: Int

    /// How long a share of the burst budget is granted. Default: 10 seconds.
    ///
    /// At least 100 milliseconds. A member uses a share for at most half the term after a renewal, and renews it eight
    /// times in each term. The share of a process that was killed returns after the term and the ``grace``.
    public var term: Duration = .seconds(10)

    /// How long a membership, and so the floor, is granted. Default: 15 minutes. At least twice the ``term``.
    ///
    /// A member that cannot reach the store keeps its floor for half of this time. So half of it should be longer than any
    /// outage of the store that the fleet must survive. The floor of a process that was killed returns after this time and
    /// the ``grace``.
    public var memberTerm: Duration = .seconds(900)

    /// How long the connections of a process that was killed can still exist at the server. Default: 5 seconds.
    ///
    /// Zero or more. On PostgreSQL, set `client_connection_check_interval` to less, because otherwise a server notices only
    /// after the statement that its client is gone.
    public var grace: Duration = .seconds(5)

    /// Creates settings with the default terms. They are validated when a ``FleetMember`` is created.
    public init(total: Int, floor: Int, processes: Int) {
        self.total = total
        self.floor = floor
        self.processes = processes
    }

    /// How long a member uses a share after it has sent a request.
    var holderTerm: Duration { term / 2 }

    /// How long a member uses its floor after it has sent a request.
    var holderMemberTerm: Duration { memberTerm / 2 }
}

/// The fleet to which a process belongs, and how the process behaves in it.
public struct FleetConfiguration: Sendable {
    /// What a process does that the store cannot admit, because the budget has no room for its floor.
    public enum WhenFull: Sendable, Hashable {
        /// The process asks again until it is admitted. Meanwhile its pool is suspended.
        case wait
        /// ``FleetMember/run()`` throws ``FleetError/Code/fleetIsFull``.
        case fail
    }

    /// What a member does when it has not reached the store for half the ``FleetSettings/memberTerm``.
    public enum WhenMembershipEnds: Sendable, Hashable {
        /// The pool is suspended until the member has joined again. The total is never exceeded.
        case suspend
        /// The pool keeps its floor. If the store admits other processes meanwhile, the total can be exceeded by the floor of
        /// this process, until it reaches the store again.
        case keepFloor
    }

    /// The name of the fleet: one name for each budget. It is part of the key in the store. Not empty.
    public var name: String

    /// What all members agree on.
    public var settings: FleetSettings

    /// The number of connections that a member draws at once while its callers wait, and of which shares are multiples when
    /// they are released. At least 1. Default: 2.
    public var chunk = 2

    /// The greatest share of this process. At least 0. Default: `nil`, the whole burst budget.
    public var maximumShare: Int?

    /// How long no caller must have been short of a connection before the member releases what the pool did not use in
    /// this time. Zero or more. Default: 5 seconds.
    public var releaseAfter: Duration = .seconds(5)

    /// How often the member looks at its pool and its terms. More than zero, and at most an eighth of the
    /// ``FleetSettings/term``. Default: 50 milliseconds.
    ///
    /// A look reads the pool's statistics, in O(connections), and asks the store only if there is a reason.
    public var lookInterval: Duration = .milliseconds(50)

    /// What the process does if the budget has no room for its floor. Default: `.wait`.
    public var whenFull: WhenFull = .wait

    /// What the process does when it has not reached the store for half the ``FleetSettings/memberTerm``. Default:
    /// `.suspend`.
    public var whenMembershipEnds: WhenMembershipEnds = .suspend

    /// Measures the terms. Default: `ContinuousClock`. Must be monotonic, and must not stand still while the machine sleeps.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// Creates a configuration with default behaviour.
    public init(name: String, settings: FleetSettings) {
        self.name = name
        self.settings = settings
    }
}

extension FleetConfiguration {
    /// How long a member waits for a reply of the store before it asks again.
    var requestTimeout: Duration { settings.term / 4 }

    /// How often a member renews.
    var renewalInterval: Duration { settings.term / 8 }

    /// The greatest share that this process asks for.
    var shareCap: Int {
        min(maximumShare ?? .max, settings.total - settings.floor * settings.processes)
    }

    func validate() throws(FleetError) {
        let shared = settings
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(FleetError) {
            guard condition else { throw FleetError(.invalidConfiguration, fleet: name, message: message()) }
        }
        try require(!name.isEmpty, "The name of the fleet is empty. Each budget needs a name of its own.")
        try require(shared.floor >= 1, "floor is \(shared.floor). A pool has room for at least 1 connection.")
        try require(shared.processes >= 1, "processes is \(shared.processes). At least 1 process belongs to a fleet.")
        let (floors, overflow) = shared.floor.multipliedReportingOverflow(by: shared.processes)
        try require(
            !overflow && floors <= shared.total,
            """
            The floors do not fit into the total: \(shared.processes) processes with a floor of \(shared.floor) need \
            \(overflow ? "more than \(Int.max)" : "\(floors)") connections, and total is \(shared.total). Lower floor or \
            processes, or raise total.
            """
        )
        // The scripts of a store count in floating-point numbers, and the core in 31 bits.
        try require(shared.total <= 1_000_000, "total is \(shared.total). A fleet has at most 1000000 connections.")
        let terms = [("term", shared.term), ("memberTerm", shared.memberTerm), ("grace", shared.grace)]
        for (name, term) in terms {
            try require(term <= .seconds(86_400 * 30), "\(name) is \(term). The longest term is 30 days.")
        }
        try require(shared.term >= .milliseconds(100), "term is \(shared.term). It must be at least 100 milliseconds.")
        try require(
            shared.memberTerm >= shared.term * 2,
            "memberTerm is \(shared.memberTerm) and term is \(shared.term). memberTerm must be at least twice as long."
        )
        try require(shared.grace >= .zero, "grace is \(shared.grace). It must not be negative.")
        try require(chunk >= 1, "chunk is \(chunk). A member draws at least 1 connection.")
        try require((maximumShare ?? 0) >= 0, "maximumShare is \(maximumShare ?? 0). It must not be negative.")
        try require(releaseAfter >= .zero, "releaseAfter is \(releaseAfter). It must not be negative.")
        try require(
            lookInterval > .zero && lookInterval <= renewalInterval,
            "lookInterval is \(lookInterval). It must be more than zero and at most an eighth of term, \(renewalInterval)."
        )
    }
}
