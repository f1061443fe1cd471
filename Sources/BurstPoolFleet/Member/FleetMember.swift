// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Makes a pool of this process a member of a fleet, whose processes share one budget of connections.
///
/// ```swift
/// let settings = FleetSettings(total: 60, floor: 2, processes: 20)
/// let member = try FleetMember(
///     pool: pool,
///     store: RedisFleetStore(url: "redis://localhost"),
///     configuration: FleetConfiguration(name: "orders", settings: settings)
/// )
/// try await member.run()
/// ```
///
/// The member owns the limits of the pool: do not call the pool's `resize`, `pause` or `resume` yourself. The pool is suspended
/// until the process has joined, so callers wait, at most for their own timeouts. The pool's `minimumIdle` must be at most the
/// floor.
///
/// All members may be used from any task. Nothing here is on the path of a lease: the member looks at the pool's statistics
/// in a task of its own, and calls `resize`.
public final class FleetMember<Pool: FleetPool>: Sendable {
    /// The fleet, and how this process behaves in it.
    public let configuration: FleetConfiguration

    private let pool: Pool
    private let store: any FleetStore
    private let observer: (@Sendable (FleetEvent) -> Void)?
    private let time: FleetTime
    private let name: String
    private let state: Mutex<State>

    private struct State {
        var holder: FleetHolder
        var applied: FleetLimits
        var demand: FleetDemand
        var isRunning = false
        /// Why the process cannot be a member.
        var failure: FleetError?
        var latestStoreError: (any Error)?
    }

    /// Suspends the pool, and prepares the membership. ``run()`` joins the fleet.
    ///
    /// - Parameters:
    ///   - pool: The pool whose limits the member sets from now on.
    ///   - store: Where the budget is kept.
    ///   - configuration: The fleet, and how this process behaves in it.
    ///   - observer: Receives what happens to the member, in order, on the task of ``run()`` or of a request. It must not
    ///     block. Default: `nil`.
    /// - Throws: ``FleetError`` with ``FleetError/Code/invalidConfiguration``, with a message that names the values. The pool
    ///   is unchanged then.
    public init(
        pool: Pool,
        store: any FleetStore,
        configuration: FleetConfiguration,
        observer: (@Sendable (FleetEvent) -> Void)? = nil
    ) throws(FleetError) {
        try configuration.validate()
        do {
            try pool.applyFleetLimits(.connections(floor: configuration.settings.floor, share: 0), after: nil)
            try pool.applyFleetLimits(.suspended, after: nil)
        } catch {
            throw FleetError(
                .invalidConfiguration,
                fleet: configuration.name,
                message: "The pool does not accept the floor of \(configuration.settings.floor) as its limit: \(error)",
                underlyingError: error
            )
        }
        self.pool = pool
        self.store = store
        self.configuration = configuration
        self.observer = observer
        time = FleetTime(configuration.clock)
        name = String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)
        state = Mutex(State(holder: FleetHolder(configuration), applied: .suspended, demand: pool.fleetDemand))
    }

    /// What the member may use and needs now. Not to be read by observers of the pool, which are called while the member sets the
    /// pool's limits.
    public var status: FleetMemberStatus { state.withLock { Self.status(of: $0) } }

    /// The latest error of the store; `nil` if no request has failed. A request that was not answered in time has no error.
    public var latestStoreError: (any Error)? { state.withLock { $0.latestStoreError } }

    // MARK: Running

    /// Joins the fleet, and sets the limits of the pool until the pool is shut down or the task is cancelled.
    ///
    /// - If the pool is shut down, the member keeps what the pool still uses. It leaves the fleet, and this method returns, when
    ///   the pool has no connections.
    /// - If the task is cancelled, the pool is suspended, and the member leaves the fleet if the pool has no connections after a
    ///   quarter of the term at most. Otherwise its share and its floor return when their terms have ended. To end without
    ///   delay, shut the pool down instead.
    ///
    /// - Throws: ``FleetError`` if the process cannot be a member: ``FleetError/Code/differentSettings``,
    ///   ``FleetError/Code/fleetIsFull``, ``FleetError/Code/alreadyRunning``. The pool is suspended then, except by
    ///   `alreadyRunning`. A store that cannot be reached is not an error.
    public func run() async throws {
        let mayRun = state.withLock { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard mayRun else {
            let message = "run() was called a second time. A member runs once; create a new one to join again."
            throw FleetError(.alreadyRunning, fleet: configuration.name, message: message)
        }
        do {
            try await withThrowingDiscardingTaskGroup { group in
                defer { group.cancelAll() }
                while !Task.isCancelled, try !hasEnded() {
                    if let pending = try look() {
                        group.addTask { await self.perform(pending) }
                    }
                    try? await time.sleep(until: time.now + configuration.lookInterval)
                }
            }
        } catch {
            try? pool.applyFleetLimits(.suspended, after: nil)
            throw error
        }
        try? pool.applyFleetLimits(.suspended, after: nil)
        await leave()
    }

    /// Whether the pool was shut down and has no connections.
    private func hasEnded() throws(FleetError) -> Bool {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let demand = pool.fleetDemand
        return demand.hasEnded && demand.total == 0
    }

    /// Ends terms, follows what the pool needs, and applies the limits.
    private func look() throws(FleetError) -> FleetHolder.Pending? {
        try change { holder, demand, now throws(FleetError) in
            holder.look(at: now, demand)
        }
    }

    /// Changes the holder, and applies its limits before anything else happens.
    ///
    /// The clock is read and the limits are applied while the state is locked. So no limit is raised from a term that
    /// another call has found to be over.
    private func change<Result: Sendable>(
        _ body: (inout FleetHolder, FleetDemand, Duration) throws(FleetError) -> Result
    ) throws(FleetError) -> Result {
        let (outcome, events) = state.withLock { state -> (Swift.Result<Result, FleetError>, [FleetEvent]) in
            // A process that was stopped closes what it may no longer use before it looks at anything else.
            state.holder.endTerms(at: time.now)
            apply(&state)
            state.demand = pool.fleetDemand
            let outcome = Swift.Result { () throws(FleetError) in try body(&state.holder, state.demand, time.now) }
            apply(&state)
            let status = Self.status(of: state)
            return (
                outcome,
                state.holder.takeChanges().map { FleetEvent(fleet: configuration.name, kind: $0, status: status) }
            )
        }
        if let observer { for event in events { observer(event) } }
        return try outcome.get()
    }

    private func apply(_ state: inout State) {
        let limits = state.holder.limits
        guard limits != state.applied else { return }
        do {
            try pool.applyFleetLimits(limits, after: state.applied)
            state.applied = limits
        } catch {
            let message = "The pool does not accept the limits \(limits): \(error)"
            state.failure = FleetError(
                .invalidConfiguration,
                fleet: configuration.name,
                message: message,
                underlyingError: error
            )
        }
    }

    private static func status(of state: State) -> FleetMemberStatus {
        FleetMemberStatus(
            isMember: state.holder.isMember,
            limits: state.applied,
            share: state.holder.share,
            demand: state.demand,
            reachesStore: state.holder.reachesStore
        )
    }

    // MARK: Requests

    private func request(_ number: Int) -> FleetRequest {
        FleetRequest(fleet: configuration.name, settings: configuration.settings, member: name, number: number)
    }

    private func perform(_ pending: FleetHolder.Pending) async {
        let outcome = await withTaskGroup(of: FleetHolder.Outcome?.self) { group in
            group.addTask { await self.outcome(of: pending) }
            group.addTask { [configuration] in
                try? await self.time.sleep(until: pending.sent + configuration.requestTimeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        // The holder gives up a request without an outcome by itself.
        guard let outcome, !Task.isCancelled else { return }
        do {
            try change { holder, _, now throws(FleetError) in try holder.finish(pending.number, outcome, at: now) }
        } catch {
            state.withLock { $0.failure = error }
        }
    }

    private func outcome(of pending: FleetHolder.Pending) async -> FleetHolder.Outcome {
        let request = request(pending.number)
        do {
            switch pending.request {
            case .join: return .reply(try await store.join(request))
            case .renew(let held, let wanted):
                return .reply(try await store.renew(request, held: held, wanted: wanted))
            }
        } catch {
            if !Task.isCancelled { state.withLock { $0.latestStoreError = error } }
            return .unreachable
        }
    }

    /// Leaves the fleet if the pool has no connections within the time limit of a request. In a task of its own, because this one
    /// may be cancelled.
    private func leave() async {
        let number = state.withLock { $0.holder.endingNumber() }
        let limit = time.now + configuration.requestTimeout
        await Task { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    guard (try? await self.waitUntilUnused()) != nil else { return }
                    try? await self.store.leave(self.request(number))
                }
                group.addTask { try? await self.time.sleep(until: limit) }
                await group.next()
                group.cancelAll()
            }
        }.value
    }

    /// Waits until the pool has no connections in several looks, for the same reason as before a share is released.
    private func waitUntilUnused() async throws {
        var looks = 0
        while true {
            looks = pool.fleetDemand.total == 0 ? looks + 1 : 0
            if looks >= FleetHolder.looksBeforeRelease { return }
            try await time.sleep(until: time.now + configuration.lookInterval)
        }
    }
}
