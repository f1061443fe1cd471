// SPDX-License-Identifier: Apache-2.0

import Testing

/// Tests the checker with histories that are written by hand. A history that breaks a rule is rejected for that rule. A
/// history that only seems to break it, because calls overlap, is accepted. Moments are small numbers.
@Suite(.timeLimit(.minutes(5)))
struct HistoryCheckerTests {
    typealias Rule = HistoryChecker.Rule

    /// A history that is built call by call.
    private struct Sketch {
        var history = History(maxSize: 2, hardLimit: 2)

        mutating func did(
            _ kind: HistoryEvent.Kind,
            _ begin: UInt64,
            _ end: UInt64,
            slot: UInt = 0,
            ownership: UInt64 = 0,
            ticket: UInt64 = 0,
            value: UInt64 = 0,
            other: UInt64 = 0
        ) {
            var event = HistoryEvent(kind, begin, end)
            event.slot = slot
            event.ownership = ownership
            event.ticket = ticket
            event.value = value
            event.other = other
            history.events.append(event)
        }

        mutating func joined(_ begin: UInt64, _ end: UInt64, ticket: UInt64, deadline: UInt64 = .max) {
            did(.join, begin, end, ticket: ticket, value: deadline)
        }

        /// A connection that is opened for its own waiter, which gets it: from 1 to 8, and in use from then on.
        mutating func leased(slot: UInt, ownership: UInt64) {
            joined(1, 2, ticket: 1000 + ownership)
            did(.beginOpen, 3, 4, slot: slot, ownership: ownership, ticket: 1000 + ownership)
            did(.finishOpen, 5, 6, slot: slot, ownership: ownership)
            did(.claim, 7, 8, ticket: 1000 + ownership)
        }

        /// The same, with the connection released by 10.
        mutating func idle(slot: UInt, ownership: UInt64) {
            leased(slot: slot, ownership: ownership)
            did(.release, 9, 10, slot: slot, ownership: ownership)
        }

        mutating func rested(
            _ at: UInt64,
            idle: Int = 0,
            leased: Int = 0,
            opening: Int = 0,
            closing: Int = 0,
            waiting: Int = 0,
            maxSize: Int = 2,
            isShutDown: Bool = false
        ) {
            history.rests.append(
                Rest(
                    begin: at,
                    end: at + 1,
                    idle: idle,
                    leased: leased,
                    opening: opening,
                    closing: closing,
                    waiting: waiting,
                    maxSize: maxSize,
                    hardLimit: 2,
                    isShutDown: isShutDown
                )
            )
        }
    }

    private func verdict(_ draw: (inout Sketch) -> Void) -> Rule? {
        var sketch = Sketch()
        draw(&sketch)
        do {
            try HistoryChecker.check(sketch.history)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test("Two owners at the same time are rejected, and successive owners are accepted")
    func ownership() {
        func secondTakes(_ begin: UInt64, _ end: UInt64) -> Rule? {
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.did(.take, 20, 21, slot: 1, ownership: 2)
                $0.did(.release, 30, 40, slot: 1, ownership: 2)
                $0.did(.takeIdle, begin, end, slot: 1, ownership: 3)
            }
        }
        #expect(secondTakes(24, 26) == .ownedTwice)
        #expect(secondTakes(20, 29) == .ownedTwice)
        #expect(secondTakes(20, 35) == nil, "it may have been released before it was taken")
        #expect(secondTakes(41, 42) == nil)
    }

    @Test("A connection that vanishes, appears without an open, or is closed twice is rejected")
    func states() {
        #expect(
            verdict {
                $0.leased(slot: 1, ownership: 1)
                $0.did(.beginClose, 20, 21, slot: 1, ownership: 1)
                $0.did(.finishClose, 22, 23, slot: 1, ownership: 1)
                $0.did(.take, 30, 31, slot: 1, ownership: 2)
            } == .stateSkipped
        )
        #expect(verdict { $0.did(.take, 30, 31, slot: 1, ownership: 2) } == .stateSkipped)
        #expect(
            verdict {
                $0.leased(slot: 1, ownership: 1)
                $0.did(.beginClose, 20, 21, slot: 1, ownership: 1)
                $0.did(.finishClose, 22, 23, slot: 1, ownership: 1)
                $0.did(.finishClose, 24, 25, slot: 1, ownership: 1)
            } == .stateSkipped
        )
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.joined(20, 21, ticket: 1)
                $0.did(.beginOpen, 22, 23, slot: 1, ownership: 2, ticket: 1)
            } == .stateSkipped
        )
    }

    @Test("Callers that share a connection, or use one that is not open, are rejected")
    func uses() {
        func used(_ spans: (UInt64, UInt64, found: Int, left: Int)..., closings: [UInt64] = [90]) -> Rule? {
            verdict {
                $0.history.connections = [ConnectionLife(connection: 7, opened: 10, closings: closings)]
                $0.history.connectionUses = spans.map {
                    ConnectionUse(connection: 7, from: $0.0, until: $0.1, found: $0.found, left: $0.left)
                }
            }
        }
        #expect(used((20, 30, 0, 2), (30, 40, 2, 3)) == nil)
        #expect(used((20, 30, 0, 2), (29, 40, 2, 3)) == .connectionShared)
        #expect(used((20, 30, 0, 2), (35, 40, 1, 3)) == .useLost)
        #expect(used((5, 30, 0, 2)) == .usedOutsideItsLife)
        #expect(used((20, 95, 0, 2)) == .usedOutsideItsLife)
        #expect(used((20, 30, 0, 2), closings: [90, 95]) == .connectionNotClosedOnce)
    }

    @Test("A permit above the hard limit is rejected, and one for a slot that may have been free is accepted")
    func limit() {
        func third(_ begin: UInt64, _ end: UInt64, _ more: (inout Sketch) -> Void) -> Rule? {
            verdict {
                $0.leased(slot: 1, ownership: 1)
                $0.leased(slot: 2, ownership: 2)
                $0.joined(10, 11, ticket: 1)
                $0.did(.beginOpen, begin, end, slot: 3, ownership: 3, ticket: 1)
                more(&$0)
            }
        }
        #expect(third(20, 21) { _ in } == .overLimit)
        func close(_ sketch: inout Sketch) {
            sketch.did(.beginClose, 12, 13, slot: 1, ownership: 1)
            sketch.did(.finishClose, 21, 30, slot: 1, ownership: 1)
        }
        #expect(third(18, 20, close) == .overLimit)
        #expect(third(20, 25, close) == nil)
        #expect(third(20, 21) { $0.did(.resize, 12, 13, value: 2, other: 3) } == nil)
        #expect(third(20, 21) { $0.did(.resize, 22, 23, value: 2, other: 3) } == .overLimit)
    }

    @Test("Closing a connection as excess when it is not is rejected")
    func excess() {
        func closed(_ more: (inout Sketch) -> Void) -> Rule? {
            verdict {
                $0.leased(slot: 1, ownership: 1)
                $0.leased(slot: 2, ownership: 2)
                $0.did(.beginCloseExcess, 20, 21, slot: 1, ownership: 1)
                more(&$0)
            }
        }
        #expect(closed { _ in } == .closedWithoutExcess)
        #expect(closed { $0.did(.resize, 12, 13, value: 1, other: 2) } == nil)
        #expect(
            closed { $0.did(.openForNoWaiter, 15, 25) } == nil,
            "a search for a waiter to open a connection for holds a slot"
        )
    }

    @Test("Serving a caller before an older waiter is rejected, unless the order may have been the reverse")
    func order() {
        func served(first: (UInt64, UInt64), second: (UInt64, UInt64), joined: (UInt64, UInt64) = (3, 4)) -> Rule? {
            verdict {
                $0.joined(1, 2, ticket: 1)
                $0.joined(joined.0, joined.1, ticket: 2)
                $0.did(.handOff, first.0, first.1, ticket: 1)
                $0.did(.handOff, second.0, second.1, ticket: 2)
            }
        }
        #expect(served(first: (10, 11), second: (12, 13)) == nil)
        #expect(served(first: (14, 15), second: (12, 13)) == .servedOutOfOrder)
        #expect(served(first: (13, 15), second: (12, 13)) == nil, "they were served at the same time")
        #expect(served(first: (14, 15), second: (12, 13), joined: (2, 4)) == nil, "they joined at the same time")
    }

    @Test("Giving a caller a permit before an older waiter is rejected, but its own connection may come first")
    func permits() {
        func given(second: UInt64, claimed: UInt64) -> Rule? {
            verdict {
                $0.joined(1, 2, ticket: 1)
                $0.joined(3, 4, ticket: 2)
                $0.did(.beginOpen, 20, 21, slot: 1, ownership: 1, ticket: 1)
                $0.did(.beginOpen, second, second + 1, slot: 2, ownership: 2, ticket: 2)
                $0.did(.claim, claimed, claimed + 1, ticket: 2)
            }
        }
        #expect(given(second: 22, claimed: 30) == nil)
        #expect(given(second: 10, claimed: 30) == .permitOutOfOrder)
    }

    @Test("Acquiring a connection while callers wait is rejected, also if several callers waited in succession")
    func overtaking() {
        func taken(_ begin: UInt64, _ end: UInt64) -> Rule? {
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.joined(20, 21, ticket: 1)
                $0.joined(25, 26, ticket: 2)
                $0.did(.claim, 30, 31, ticket: 1)
                $0.did(.claim, 40, 41, ticket: 2)
                $0.did(.take, begin, end, slot: 1, ownership: 2)
            }
        }
        #expect(taken(22, 29) == .overtaken)
        #expect(taken(22, 39) == .overtaken)
        #expect(taken(19, 39) == nil)
        #expect(taken(22, 40) == nil)
        #expect(
            verdict {
                $0.joined(1, 2, ticket: 1)
                $0.did(.findNoWaiter, 3, 4)
            } == .overtaken
        )
    }

    @Test("Waits that end twice, too early, or never began are rejected")
    func waits() {
        #expect(
            verdict {
                $0.joined(1, 2, ticket: 1)
                $0.did(.claim, 3, 5, ticket: 1)
                $0.did(.handOff, 3, 4, ticket: 1)
            } == .endedTwice
        )
        #expect(verdict { $0.did(.handOff, 3, 4, ticket: 1) } == .neverJoined)
        #expect(
            verdict {
                $0.joined(5, 6, ticket: 1)
                $0.did(.handOff, 3, 4, ticket: 1)
            } == .neverJoined
        )
        #expect(
            verdict {
                $0.joined(1, 2, ticket: 1, deadline: 50)
                $0.did(.expire, 40, 41, ticket: 1, value: 49)
            } == .endedTooEarly
        )
        #expect(
            verdict {
                $0.joined(1, 2, ticket: 1)
                $0.did(.beginOpen, 3, 4, slot: 1, ownership: 1, ticket: 1)
                $0.did(.beginOpen, 5, 6, slot: 2, ownership: 2, ticket: 1)
            } == .permitTwice
        )
    }

    @Test("A waiter beside a connection that could serve it, and a lost connection, are found at rest")
    func rests() {
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.rested(50, idle: 1)
            } == nil
        )
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.rested(50)
            } == .inexactStatistics
        )
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.leased(slot: 2, ownership: 2)
                $0.joined(30, 31, ticket: 1)
                $0.rested(50, idle: 1, leased: 1, waiting: 1)
            } == .leftWaiting
        )
        #expect(
            verdict {
                $0.leased(slot: 2, ownership: 2)
                $0.joined(30, 31, ticket: 1)
                $0.rested(50, leased: 1, waiting: 1)
            } == .leftWaiting
        )
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.idle(slot: 2, ownership: 2)
                $0.did(.resize, 30, 31, value: 1, other: 2)
                $0.rested(50, idle: 2, maxSize: 1)
            } == .leftIdle
        )
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.rested(9, idle: 1)
            } == .inexactStatistics,
            "some observation must overlap with no call"
        )
    }

    @Test("Activity after shutdown, or anything left over, is rejected")
    func shutdown() {
        #expect(
            verdict {
                $0.idle(slot: 1, ownership: 1)
                $0.did(.shutdown, 20, 21)
                $0.did(.take, 30, 31, slot: 1, ownership: 2)
            } == .activityAfterShutdown
        )
        #expect(
            verdict {
                $0.did(.shutdown, 20, 21)
                $0.joined(30, 31, ticket: 1)
                $0.did(.handOff, 40, 41, ticket: 1)
            } == .joinedAfterShutdown
        )
        #expect(
            verdict {
                $0.did(.shutdown, 20, 21)
                $0.joined(30, 33, ticket: 1)
                $0.did(.handOff, 32, 34, ticket: 1)
            } == nil,
            "it had a ticket, and was rejected when it joined"
        )
        #expect(
            verdict {
                $0.history.connections = [ConnectionLife(connection: 7, opened: 10)]
                $0.did(.shutdown, 20, 21)
            } == .openAfterShutdown
        )
    }
}
