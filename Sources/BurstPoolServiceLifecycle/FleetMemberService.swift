// SPDX-License-Identifier: Apache-2.0

#if Fleet
    public import BurstPoolFleet
    public import ServiceLifecycle

    /// Runs a member of a fleet in a `ServiceGroup`: it joins the fleet at the start, and leaves it after the pool has been shut down.
    ///
    /// ```swift
    /// let group = ServiceGroup(
    ///     configuration: .init(
    ///         services: [
    ///             .init(service: FleetMemberService(member: member)),
    ///             .init(service: ConnectionPoolService(pool: pool)),
    ///             .init(service: server),
    ///         ],
    ///         gracefulShutdownSignals: [.sigterm],
    ///         logger: logger
    ///     )
    /// )
    /// try await group.run()
    /// ```
    ///
    /// A group shuts its services down in reverse order, and each one after the next has ended. So put the member **before** the
    /// pool. The pool then keeps its limits until it has drained, and the share and the floor of the process return at once.
    ///
    /// The pool hands out no connections until the process has joined. At the first start of a fleet this takes the term and the
    /// grace, 15 seconds by default, which ``ConnectionPoolServiceConfiguration/startTimeout`` must allow for.
    public struct FleetMemberService<Pool: FleetPool>: Service {
        /// The member.
        public let member: FleetMember<Pool>

        public init(member: FleetMember<Pool>) {
            self.member = member
        }

        /// Runs the member, and waits for the graceful shutdown of the group.
        ///
        /// - If the pool was shut down before, the member has left the fleet by then.
        /// - If it was not, the pool is suspended. The member leaves the fleet if the pool has no connections after a quarter of the
        ///   term at most. Otherwise the share and the floor return when their terms have ended. The same happens when the
        ///   task is cancelled.
        ///
        /// - Throws: `FleetError` if the process cannot be a member, for example because its settings differ from those of the fleet.
        public func run() async throws {
            try await cancelWhenGracefulShutdown { [member] in try await member.run() }
            // A group does not expect a service to end before its turn. An error means that the task was cancelled.
            try? await gracefulShutdown()
        }
    }
#endif
