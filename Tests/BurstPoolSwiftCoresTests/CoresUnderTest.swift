// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSwiftCores
import Testing

/// A core that can report the size of its memory.
protocol MeasurableCore: _PoolCore {
    var memory: Int { get }
}

extension _ConcurrencyKitCore: MeasurableCore {}
extension LockFreeSwiftCore: MeasurableCore {}
extension MutexCore: MeasurableCore {}

enum CoreKind: CaseIterable {
    case concurrencyKit, lockFreeSwift, mutex

    var type: any MeasurableCore.Type {
        switch self {
        case .concurrencyKit: _ConcurrencyKitCore.self
        case .lockFreeSwift: LockFreeSwiftCore.self
        case .mutex: MutexCore.self
        }
    }
}

/// A core of one kind, with short names for what the tests do with it.
struct Fixture<Core: MeasurableCore> {
    private final class Owner {}

    let core: Core
    private weak let owner: AnyObject?

    init(
        _ type: Core.Type,
        maxSize: Int,
        hardLimit: Int? = nil,
        maxWaiters: Int? = nil,
        elementSize: Int = 8,
        elementAlignment: Int = 8
    ) throws {
        let owner = Owner()
        self.owner = owner
        core = try Core(
            _PoolCoreConfiguration(
                limits: _PoolCoreLimits(maxSize: maxSize, hardLimit: hardLimit ?? maxSize),
                maxWaiters: maxWaiters,
                elementSize: elementSize,
                elementAlignment: elementAlignment,
                owner: Unmanaged<AnyObject>.passRetained(owner)
            )
        )
    }

    /// Ends a test: closes the idle connections, and checks that nothing is left.
    func finish() {
        while let lease = core.takeIdle() { close(lease) }
        #expect(core.total == 0)
        #expect(core.counts.waiting == 0)
        #expect(owner != nil)
        core.destroy()
        #expect(owner == nil, "the owner is released with the core")
    }

    /// Opens a connection for a caller that waits only until it is open.
    func open() throws -> Core.Lease {
        let ticket = try join(1)
        let (opened, permit) = try #require(beginOpen())
        core.finishOpen(permit)
        guard case .claimed = core.claimWait(opened) else { throw Unexpected() }
        guard case .tooLate = core.claimWait(ticket) else { throw Unexpected() }
        return permit
    }

    func beginOpen() -> (Core.Ticket, Core.Lease)? {
        guard case .opening(let ticket, let permit) = core.beginOpen() else { return nil }
        return (ticket, permit)
    }

    func close(_ lease: Core.Lease) {
        core.beginClose(lease)
        core.finishClose(lease)
    }

    /// Joins the queue with a number as the context.
    @discardableResult
    func join(_ number: Int, deadline: UInt64 = .max) throws -> Core.Ticket {
        let ticket = try core.prepareWait()
        guard case .joined = core.joinWait(ticket, context: context(number), deadline: deadline) else {
            throw Unexpected()
        }
        return ticket
    }

    /// Joins the queue. Returns whether the caller must set the timer.
    func joinReportingTimer(_ number: Int, deadline: UInt64) throws -> Bool {
        let ticket = try core.prepareWait()
        guard case .joined(let armTimer) = core.joinWait(ticket, context: context(number), deadline: deadline) else {
            throw Unexpected()
        }
        return armTimer
    }

    func context(_ number: Int) -> UnsafeRawPointer {
        UnsafeRawPointer(bitPattern: number).unsafelyUnwrapped
    }

    func handOff() -> Int? { core.handOff().map { Int(bitPattern: $0) } }

    func claim(_ ticket: Core.Ticket) -> Int? {
        guard case .claimed(let context) = core.claimWait(ticket) else { return nil }
        return Int(bitPattern: context)
    }

    func expire(now: UInt64) -> (numbers: [Int], next: UInt64?) {
        var numbers: [Int] = []
        let next = core.expire(now: now) { numbers.append(Int(bitPattern: $0)) }
        return (numbers, next)
    }

    /// The numbers of connections that are idle, in use, opening and closing.
    var states: [Int] {
        let counts = core.counts
        return [counts.idle, counts.leased, counts.opening, counts.closing]
    }
}

/// A result of a core that a helper did not expect.
struct Unexpected: Error {}
