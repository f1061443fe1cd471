// SPDX-License-Identifier: Apache-2.0

import BurstPoolFleet
import BurstPoolTesting
import Synchronization

@testable import FleetSimulation

/// A store in memory, on a manual clock, that a test can cut off and restart.
final class InMemoryFleetStore: FleetStore {
    struct Unreachable: Error {}

    private struct State {
        var ledger = FleetLedger()
        var run = 1
        var isReachable = true
        var requests = 0
    }

    private let clock: ManualClock
    private let state = Mutex(State())

    init(clock: ManualClock) {
        self.clock = clock
    }

    var drawn: Int { state.withLock { $0.ledger.drawn } }
    var members: Int { state.withLock { $0.ledger.members } }
    var requests: Int { state.withLock { $0.requests } }

    var isReachable: Bool {
        get { state.withLock { $0.isReachable } }
        set { state.withLock { $0.isReachable = newValue } }
    }

    /// Starts the store again, without its data.
    func restartEmpty() {
        state.withLock { state in
            state.run += 1
            state.ledger = FleetLedger()
        }
    }

    func join(_ request: FleetRequest) async throws -> FleetReply {
        try execute { ledger, run, wall in ledger.join(request, run: run, wall: wall) }
    }

    func renew(_ request: FleetRequest, held: Int, wanted: Int) async throws -> FleetReply {
        try execute { ledger, run, wall in ledger.renew(request, held: held, wanted: wanted, run: run, wall: wall) }
    }

    func leave(_ request: FleetRequest) async throws {
        try execute { ledger, run, wall in ledger.leave(request, run: run, wall: wall) }
    }

    private func execute<Result>(_ body: (inout FleetLedger, Int, Int) -> Result) throws -> Result {
        let wall = clock.now.sinceStart.inMilliseconds
        return try state.withLock { state in
            state.requests += 1
            guard state.isReachable else { throw Unreachable() }
            return body(&state.ledger, state.run, wall)
        }
    }
}
