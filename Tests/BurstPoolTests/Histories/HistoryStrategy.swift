// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A connection that counts its uses without protection, because the pool must give it to one caller at a time.
final class HistoryConnection {
    let number: Int
    let isBroken: Bool
    var uses = 0

    init(number: Int, isBroken: Bool) {
        self.number = number
        self.isBroken = isBroken
    }
}

/// Opens and closes connections that are only numbers, after random delays and with random failures, and records each.
final class HistoryStrategy: ConnectionStrategy, RecordedStrategy {
    struct Refused: Error {}

    private struct Account {
        var random: Random
        var lives: [ConnectionLife] = []
    }

    let recorder = HistoryRecorder()
    let fault: CoreFault?
    private let account: Mutex<Account>

    init(seed: UInt64, fault: CoreFault?) {
        self.fault = fault
        account = Mutex(Account(random: Random(seed: seed)))
    }

    var connections: [ConnectionLife] { account.withLock { $0.lives } }

    func makeConnection() async throws -> sending HistoryConnection {
        let (yields, fails) = account.withLock { ($0.random.number(0...3), $0.random.chance(1, in: 6)) }
        for _ in 0..<yields { await Task.yield() }
        if fails { throw Refused() }
        let (number, isBroken) = account.withLock { account in
            account.lives.append(ConnectionLife(connection: account.lives.count, opened: historyNow()))
            return (account.lives.count - 1, account.random.chance(1, in: 10))
        }
        return HistoryConnection(number: number, isBroken: isBroken)
    }

    /// Some connections break when they have been used for some time.
    func connectionIsClosed(_ connection: HistoryConnection) throws -> Bool {
        guard connection.isBroken, connection.uses > 3 else { return false }
        if connection.number.isMultiple(of: 2) { throw Refused() }
        return true
    }

    func closeConnection(_ connection: sending HistoryConnection) async throws {
        let number = connection.number
        let (yields, fails) = account.withLock { account in
            account.lives[number].closings.append(historyNow())
            return (account.random.number(0...2), account.random.chance(1, in: 8))
        }
        for _ in 0..<yields { await Task.yield() }
        if fails { throw Refused() }
    }
}
