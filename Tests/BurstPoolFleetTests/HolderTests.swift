// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolFleet

/// The member's side of the protocol. Floor 2, term 8 s (4 s at the member), member term 80 s (40 s at the member).
@Suite("The member's side of the protocol")
struct HolderTests {
    private static let quiet = FleetDemand(total: 0, waiting: 0)

    private static func configuration(_ change: (inout FleetConfiguration) -> Void = { _ in }) -> FleetConfiguration {
        var settings = FleetSettings(total: 40, floor: 2, processes: 10)
        settings.term = .seconds(8)
        settings.memberTerm = .seconds(80)
        var configuration = FleetConfiguration(name: "fleet", settings: settings)
        change(&configuration)
        return configuration
    }

    private static func state(_ drawn: Int = 0) -> FleetState { FleetState(members: 1, drawn: drawn) }

    /// Returns a holder that has joined at 0 s.
    private func member(_ change: (inout FleetConfiguration) -> Void = { _ in }) throws -> TestedHolder {
        let holder = TestedHolder(Self.configuration(change))
        #expect(holder.limits == .suspended)
        let join = try #require(holder.look(at: .zero, Self.quiet))
        #expect(join.request == .join)
        try holder.finish(join.number, .reply(.granted(share: 0, Self.state())), at: .zero)
        #expect(holder.limits == .connections(floor: 2, share: 0))
        return holder
    }

    /// Lets the holder draw a share at a moment.
    private func draw(_ holder: TestedHolder, at now: Duration, granted: Int? = nil) throws {
        let demand = FleetDemand(total: 2 + holder.share, waiting: 1)
        let pending = try #require(holder.look(at: now, demand))
        guard case .renew(_, let wanted) = pending.request else { throw UnexpectedRequest(pending: pending) }
        try holder.finish(pending.number, .reply(.granted(share: granted ?? wanted, Self.state())), at: now)
    }

    private struct UnexpectedRequest: Error { let pending: FleetHolder.Pending }

    // MARK: Drawing and releasing

    @Test("Callers that wait at the limit make the member draw one chunk after the other, up to the cap")
    func draws() throws {
        let holder = try member {
            $0.chunk = 3; $0.maximumShare = 7
        }
        try draw(holder, at: .seconds(0.1))
        #expect(holder.limits == .connections(floor: 2, share: 3))
        try draw(holder, at: .seconds(0.2))
        try draw(holder, at: .seconds(0.3))
        #expect(holder.limits == .connections(floor: 2, share: 7))
        #expect(holder.look(at: .seconds(0.4), FleetDemand(total: 9, waiting: 5)) == nil)
    }

    @Test("Callers for whom the pool can open a connection below the limit are no reason to draw")
    func opening() throws {
        let holder = try member()
        #expect(holder.look(at: .seconds(0.1), FleetDemand(total: 1, waiting: 5)) == nil)
    }

    @Test("A member that got less than it wanted does not ask again at once")
    func exhausted() throws {
        let holder = try member()
        try draw(holder, at: .seconds(0.1), granted: 1)
        let demand = FleetDemand(total: 3, waiting: 4)
        #expect(holder.look(at: .seconds(0.2), demand) == nil)
        #expect(holder.look(at: .seconds(0.7), demand)?.request == .renew(held: 1, wanted: 3))
    }

    @Test("A share is released after a quiet time, down to what the pool has used in it")
    func releases() throws {
        let holder = try member {
            $0.releaseAfter = .seconds(1); $0.lookInterval = .milliseconds(100)
        }
        for moment in [0.1, 0.2, 0.3] { try draw(holder, at: .seconds(moment)) }
        #expect(holder.share == 6)
        // It uses 3 of 6 for a moment: a release keeps 4, which are two chunks.
        _ = holder.look(at: .seconds(0.4), FleetDemand(total: 2, waiting: 0))
        _ = holder.look(at: .seconds(0.5), FleetDemand(total: 5, waiting: 0))
        #expect(
            holder.look(at: .seconds(1.39), FleetDemand(total: 2, waiting: 0)).map(\.request)
                == .renew(held: 6, wanted: 6)
        )
        #expect(holder.limits == .connections(floor: 2, share: 6))
        try holder.finish(5, .reply(.granted(share: 6, Self.state())), at: .seconds(1.39))
        // The limit is lowered before anything is released.
        #expect(holder.look(at: .seconds(1.41), FleetDemand(total: 2, waiting: 0)) == nil)
        #expect(holder.limits == .connections(floor: 2, share: 4))
        #expect(holder.share == 6)
        #expect(holder.look(at: .seconds(1.5), FleetDemand(total: 2, waiting: 0)) == nil)
        #expect(
            holder.look(at: .seconds(1.6), FleetDemand(total: 2, waiting: 0))?.request == .renew(held: 4, wanted: 4)
        )
        #expect(holder.share == 4)
    }

    @Test("A share is not released while the pool has more connections than the lowered limit, in use or closing")
    func inUse() throws {
        let holder = try member { $0.releaseAfter = .zero }
        try draw(holder, at: .seconds(0.1))
        _ = holder.look(at: .seconds(0.2), Self.quiet)
        _ = holder.look(at: .seconds(0.25), Self.quiet)
        #expect(holder.limits == .connections(floor: 2, share: 0))
        // A thread that had read the old limit has counted two more connections.
        for moment in [0.3, 0.4, 0.5] {
            #expect(holder.look(at: .seconds(moment), FleetDemand(total: 4, waiting: 0)) == nil)
        }
        // Only one look in a row without them is not enough.
        #expect(holder.look(at: .seconds(0.6), FleetDemand(total: 2, waiting: 0)) == nil)
        #expect(holder.look(at: .seconds(0.65), FleetDemand(total: 3, waiting: 0)) == nil)
        #expect(holder.look(at: .seconds(0.7), FleetDemand(total: 2, waiting: 0)) == nil)
        #expect(
            holder.look(at: .seconds(0.75), FleetDemand(total: 2, waiting: 0))?.request == .renew(held: 0, wanted: 0)
        )
    }

    @Test("Callers that wait again before the release get the share, without asking the store")
    func cancelsRelease() throws {
        let holder = try member { $0.releaseAfter = .zero }
        try draw(holder, at: .seconds(0.1))
        _ = holder.look(at: .seconds(0.2), Self.quiet)
        _ = holder.look(at: .seconds(0.25), Self.quiet)
        #expect(holder.limits == .connections(floor: 2, share: 0))
        #expect(holder.look(at: .seconds(0.3), FleetDemand(total: 2, waiting: 1)) == nil)
        #expect(holder.limits == .connections(floor: 2, share: 2))
    }

    @Test("A share that was released is not used again if the reply is lost")
    func lostRelease() throws {
        let holder = try member { $0.releaseAfter = .zero }
        try draw(holder, at: .seconds(0.1))
        for moment in [0.2, 0.25, 0.3] { #expect(holder.look(at: .seconds(moment), Self.quiet) == nil) }
        let release = try #require(holder.look(at: .seconds(0.35), Self.quiet))
        #expect(release.request == .renew(held: 0, wanted: 0))
        try holder.finish(release.number, .unreachable, at: .seconds(0.4))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        #expect(holder.look(at: .seconds(0.45), FleetDemand(total: 2, waiting: 3)) == nil)
        #expect(holder.limits == .connections(floor: 2, share: 0))
    }

    // MARK: Terms

    @Test("A share is renewed in time, and its term counts from the request, not from the reply")
    func renewal() throws {
        let holder = try member()
        try draw(holder, at: .seconds(0.5))
        #expect(holder.look(at: .seconds(1.4), FleetDemand(total: 4, waiting: 0)) == nil)
        let renewal = try #require(holder.look(at: .seconds(1.5), FleetDemand(total: 4, waiting: 0)))
        #expect(renewal.request == .renew(held: 2, wanted: 2))
        try holder.finish(renewal.number, .reply(.granted(share: 2, Self.state())), at: .seconds(3.4))
        holder.endTerms(at: .seconds(5.49))
        #expect(holder.limits == .connections(floor: 2, share: 2))
        holder.endTerms(at: .seconds(5.5))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        #expect(holder.takeChanges().contains(.shareTermEnded(share: 2)))
    }

    @Test("A process that continues after its term asks for nothing before its pool is back at the floor")
    func thaw() throws {
        let holder = try member()
        try draw(holder, at: .seconds(0.5))
        let pending = try #require(holder.look(at: .seconds(1), FleetDemand(total: 4, waiting: 1)))
        // The process is stopped with a request on its way. The reply is older than its term.
        try holder.finish(pending.number, .reply(.granted(share: 4, Self.state())), at: .seconds(30))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        // After the membership's term not even the floor remains.
        holder.endTerms(at: .seconds(41))
        #expect(holder.limits == .suspended)
        #expect(holder.look(at: .seconds(41), FleetDemand(total: 4, waiting: 0))?.request == .join)
    }

    @Test("Without the store, the member uses its share until the term ends, then its floor, and then nothing")
    func partition() throws {
        let holder = try member()
        try draw(holder, at: .seconds(0.5))
        var limits: [FleetLimits] = []
        var requests = 0
        for tick in 11...900 {
            let now = Duration.milliseconds(tick * 50)
            if let pending = holder.look(at: now, FleetDemand(total: 4, waiting: 1)) {
                requests += 1
                try holder.finish(pending.number, .unreachable, at: now)
            }
            if limits.last != holder.limits { limits.append(holder.limits) }
        }
        #expect(limits == [.connections(floor: 2, share: 2), .connections(floor: 2, share: 0), .suspended])
        // Retries slow down to one each second.
        #expect((40...60).contains(requests))
        let changes = holder.takeChanges()
        #expect(changes.filter { $0 == .storeUnreachable }.count == 1)
        #expect(changes.last == .membershipEnded)
    }

    @Test("A member that keeps its floor keeps it until the store refuses it")
    func keepsFloor() throws {
        let holder = try member { $0.whenMembershipEnds = .keepFloor }
        holder.endTerms(at: .seconds(40))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        let first = try #require(holder.look(at: .seconds(40), Self.quiet))
        #expect(first.request == .join)
        try holder.finish(first.number, .reply(.recovering(Self.state())), at: .seconds(40))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        let second = try #require(holder.look(at: .seconds(41), Self.quiet))
        try holder.finish(second.number, .reply(.full(Self.state())), at: .seconds(41))
        #expect(holder.limits == .suspended)
    }

    // MARK: Requests

    @Test("A request without an answer is given up, and its late reply is ignored")
    func lateReply() throws {
        let holder = try member()
        let first = try #require(holder.look(at: .seconds(1), FleetDemand(total: 2, waiting: 1)))
        #expect(holder.look(at: .seconds(2.9), FleetDemand(total: 2, waiting: 1)) == nil)
        _ = holder.look(at: .seconds(3), FleetDemand(total: 2, waiting: 1))
        let second = try #require(holder.look(at: .seconds(3.2), FleetDemand(total: 2, waiting: 1)))
        #expect(second.number > first.number)
        try holder.finish(first.number, .reply(.granted(share: 2, Self.state())), at: .seconds(3.2))
        #expect(holder.limits == .connections(floor: 2, share: 0))
        #expect(holder.reachesStore == false)
    }

    @Test("A grant below what the member holds lowers the limit at once")
    func lowered() throws {
        let holder = try member()
        try draw(holder, at: .seconds(0.5))
        let renewal = try #require(holder.look(at: .seconds(1.5), FleetDemand(total: 4, waiting: 0)))
        try holder.finish(renewal.number, .reply(.granted(share: 1, Self.state())), at: .seconds(1.6))
        #expect(holder.limits == .connections(floor: 2, share: 1))
    }

    @Test("A member that the store has forgotten, and for which there is no room, is suspended and joins again")
    func refused() throws {
        let holder = try member()
        let renewal = try #require(holder.look(at: .seconds(1), Self.quiet))
        try holder.finish(renewal.number, .reply(.full(Self.state())), at: .seconds(1))
        #expect(holder.limits == .suspended)
        #expect(holder.takeChanges().last == .wasRefused(Self.state()))
        #expect(holder.look(at: .seconds(1.5), Self.quiet) == nil)
        #expect(holder.look(at: .seconds(2), Self.quiet)?.request == .join)
    }

    @Test("A process that is not admitted waits or fails, by choice; while the store recovers it waits")
    func full() throws {
        for (choice, throwsError) in [(FleetConfiguration.WhenFull.wait, false), (.fail, true)] {
            let holder = TestedHolder(Self.configuration { $0.whenFull = choice })
            let first = try #require(holder.look(at: .zero, Self.quiet))
            try holder.finish(first.number, .reply(.recovering(Self.state())), at: .zero)
            let second = try #require(holder.look(at: .seconds(1), Self.quiet))
            var code: FleetError.Code?
            do {
                try holder.finish(second.number, .reply(.full(Self.state(20))), at: .seconds(1))
            } catch {
                code = error.code
            }
            #expect(code == (throwsError ? .fleetIsFull : nil))
            #expect(holder.limits == .suspended)
        }
    }

    @Test("Other settings at the store end the membership with an error that names both")
    func differentSettings() throws {
        let holder = try member()
        let renewal = try #require(holder.look(at: .seconds(1), Self.quiet))
        let theirs = FleetSettings(total: 99, floor: 2, processes: 10)
        let error = #expect(throws: FleetError.self) {
            try holder.finish(renewal.number, .reply(.differentSettings(theirs)), at: .seconds(1))
        }
        #expect(error?.code == .differentSettings)
        #expect(error?.message.contains("total 99") == true && error?.message.contains("total 40") == true)
        #expect(holder.limits == .suspended)
    }
}

/// A holder as an object, so that the macros of tests can change it.
private final class TestedHolder {
    private var holder: FleetHolder

    init(_ configuration: FleetConfiguration) {
        holder = FleetHolder(configuration)
    }

    var limits: FleetLimits { holder.limits }
    var share: Int { holder.share }
    var reachesStore: Bool { holder.reachesStore }

    func look(at now: Duration, _ demand: FleetDemand) -> FleetHolder.Pending? { holder.look(at: now, demand) }

    func finish(_ number: Int, _ outcome: FleetHolder.Outcome, at now: Duration) throws(FleetError) {
        try holder.finish(number, outcome, at: now)
    }

    func endTerms(at now: Duration) { holder.endTerms(at: now) }

    func takeChanges() -> [FleetEvent.Kind] { holder.takeChanges() }
}
