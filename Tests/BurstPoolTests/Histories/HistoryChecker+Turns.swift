extension HistoryChecker {
    /// Who has a slot: from the call that took it to the one that gave it away.
    private struct Turn {
        var taking: HistoryEvent
        var steps: [HistoryEvent] = []

        /// From when on and until when it is owned for certain.
        var from: UInt64 { taking.end }
        var until: UInt64 { steps.last.map { leavesSlot ? $0.begin : .max } ?? .max }

        var leavesSlot: Bool {
            switch steps.last?.kind {
            case .release, .cancelOpen, .finishClose: true
            default: false
            }
        }

        var leavesConnection: Bool { steps.last?.kind == .release }
        var findsConnection: Bool { taking.kind != .beginOpen }

        /// What can be done in a turn, one after another.
        var isInOrder: Bool {
            var kinds = steps.map(\.kind)[...]
            if taking.kind == .beginOpen {
                switch kinds.popFirst() {
                case nil: return true
                case .cancelOpen: return kinds.isEmpty
                case .finishOpen: break
                default: return false
                }
            }
            switch kinds.popFirst() {
            case nil: return true
            case .release: return kinds.isEmpty
            case .beginClose, .beginCloseExcess:
                let last = kinds.popFirst()
                return (last == nil || last == .finishClose) && kinds.isEmpty
            default: return false
            }
        }
    }

    /// One owner at a time, and no way for a connection but to be opened once, given from hand to hand, and closed once.
    ///
    /// Who takes a slot owns it for certain from the end of that call on, and until the call begins that gives it away. These
    /// spans must not overlap. Where they do not, they tell the order of the owners, and each must find what the one
    /// before has left: a connection, or room for one.
    static func checkTurns(_ events: [HistoryEvent]) throws(Violation) {
        var turns: [UInt64: Turn] = [:]
        let aboutSlots = events.filter(\.kind.isAboutSlot)
        for event in aboutSlots where [.take, .takeIdle, .beginOpen].contains(event.kind) {
            if let other = turns.updateValue(Turn(taking: event), forKey: event.turn) {
                throw Violation(.ownedTwice, other.taking, event)
            }
        }
        // The steps of a turn are made one after another, so their ends are in order.
        for event in aboutSlots where ![.take, .takeIdle, .beginOpen].contains(event.kind) {
            guard turns[event.turn]?.taking.slot == event.slot else { throw Violation(.stateSkipped, event) }
            turns[event.turn]?.steps.append(event)
        }
        for (_, ofSlot) in Dictionary(grouping: turns.values, by: \.taking.slot) {
            var before: Turn?
            for turn in ofSlot.sorted(by: { $0.from < $1.from }) {
                guard turn.isInOrder else { throw Violation(.stateSkipped, turn) }
                if let before {
                    guard before.until <= turn.from else { throw Violation(.ownedTwice, before, turn) }
                }
                let isConnectionThere = before?.leavesConnection ?? false
                guard turn.findsConnection == isConnectionThere else {
                    throw Violation(.stateSkipped, before as Any, turn)
                }
                before = turn
            }
        }
    }

    /// Callers never have a connection at the same time; each finds what the one before has done to it, though that is not
    /// protected; and none has it before it was open or after the pool began to close it, which it does once.
    static func checkBorrowings(_ history: History) throws(Violation) {
        var lives: [Int: ConnectionLife] = [:]
        for life in history.connections {
            guard life.closings.count <= 1, lives.updateValue(life, forKey: life.connection) == nil else {
                throw Violation(.connectionNotClosedOnce, life)
            }
        }
        for (connection, borrowings) in Dictionary(grouping: history.borrowings, by: \.connection) {
            guard let life = lives[connection] else { throw Violation(.usedOutsideItsLife, borrowings[0]) }
            var before: Borrowing?
            for borrowing in borrowings.sorted(by: { $0.from < $1.from }) {
                guard life.opened <= borrowing.from, borrowing.until <= life.closings.first ?? .max else {
                    throw Violation(.usedOutsideItsLife, borrowing, life)
                }
                if let before {
                    guard before.until <= borrowing.from else { throw Violation(.connectionShared, before, borrowing) }
                }
                guard borrowing.found == before?.left ?? 0 else {
                    throw Violation(.useLost, before as Any, borrowing)
                }
                before = borrowing
            }
        }
    }
}
