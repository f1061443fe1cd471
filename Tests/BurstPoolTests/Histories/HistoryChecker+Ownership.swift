// SPDX-License-Identifier: Apache-2.0

extension HistoryChecker {
    /// One ownership of a slot: from the call that took the slot to the call that released it.
    private struct Ownership {
        var taking: HistoryEvent
        var steps: [HistoryEvent] = []

        /// The time during which the slot is certainly owned.
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

        /// Whether the steps of this ownership are possible in this order.
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
            case .beginClose, .beginCloseExcess, .beginCloseAboveHardLimit:
                let last = kinds.popFirst()
                return (last == nil || last == .finishClose) && kinds.isEmpty
            default: return false
            }
        }
    }

    /// Checks that a slot has one owner at a time, and that a connection is opened once, passed from owner to owner,
    /// and closed once.
    ///
    /// The caller that takes a slot certainly owns it from the end of that call until the beginning of the call that
    /// releases it. These spans must not overlap. They give the order of the owners, and each owner must find what the
    /// previous one has left: a connection, or a free slot.
    static func checkOwnership(_ events: [HistoryEvent]) throws(Violation) {
        var ownerships: [UInt64: Ownership] = [:]
        let aboutSlots = events.filter(\.kind.isAboutSlot)
        for event in aboutSlots where [.take, .takeIdle, .beginOpen].contains(event.kind) {
            if let other = ownerships.updateValue(Ownership(taking: event), forKey: event.ownership) {
                throw Violation(.ownedTwice, other.taking, event)
            }
        }
        // The steps of one owner are made one after another, so their ends are in order.
        for event in aboutSlots where ![.take, .takeIdle, .beginOpen].contains(event.kind) {
            guard ownerships[event.ownership]?.taking.slot == event.slot else { throw Violation(.stateSkipped, event) }
            ownerships[event.ownership]?.steps.append(event)
        }
        for (_, ofSlot) in Dictionary(grouping: ownerships.values, by: \.taking.slot) {
            var before: Ownership?
            for ownership in ofSlot.sorted(by: { $0.from < $1.from }) {
                guard ownership.isInOrder else { throw Violation(.stateSkipped, ownership) }
                if let before {
                    guard before.until <= ownership.from else { throw Violation(.ownedTwice, before, ownership) }
                }
                let isConnectionThere = before?.leavesConnection ?? false
                guard ownership.findsConnection == isConnectionThere else {
                    throw Violation(.stateSkipped, before as Any, ownership)
                }
                before = ownership
            }
        }
    }

    /// Checks that callers never use a connection at the same time, and that each caller sees the unprotected changes
    /// of the previous one. No caller uses a connection before it is open, or after the pool begins to close it, and
    /// the pool closes it once.
    static func checkUses(_ history: History) throws(Violation) {
        var lives: [Int: ConnectionLife] = [:]
        for life in history.connections {
            guard life.closings.count <= 1, lives.updateValue(life, forKey: life.connection) == nil else {
                throw Violation(.connectionNotClosedOnce, life)
            }
        }
        for (connection, connectionUses) in Dictionary(grouping: history.connectionUses, by: \.connection) {
            guard let life = lives[connection] else { throw Violation(.usedOutsideItsLife, connectionUses[0]) }
            var before: ConnectionUse?
            for use in connectionUses.sorted(by: { $0.from < $1.from }) {
                guard life.opened <= use.from, use.until <= life.closings.first ?? .max else {
                    throw Violation(.usedOutsideItsLife, use, life)
                }
                if let before {
                    guard before.until <= use.from else { throw Violation(.connectionShared, before, use) }
                }
                guard use.found == before?.left ?? 0 else {
                    throw Violation(.useLost, before as Any, use)
                }
                before = use
            }
        }
    }
}
