/// Which limits were in force when.
struct LimitsInForce {
    private let first: (maxSize: Int, hardLimit: Int)
    /// Shutdowns too, which set both to 0.
    private let resizes: [HistoryEvent]

    init(_ events: [HistoryEvent], _ history: History) {
        first = (history.maxSize, history.hardLimit)
        resizes = events.filter { $0.kind == .resize || $0.kind == .shutdown }
    }

    /// The lowest soft limit and the highest hard one that may have been in force between two moments: those of resizes
    /// that had begun by then, and that no other one, begun after they had ended, had replaced before.
    func between(_ begin: UInt64, _ end: UInt64) -> (maxSize: Int, hardLimit: Int) {
        let over = resizes.filter { $0.end < begin }
        let since = over.map(\.begin).max()
        let possible = resizes.filter { $0.begin <= end && $0.end >= since ?? 0 }
        let soft = possible.map { Int($0.value) } + (since == nil ? [first.maxSize] : [])
        let hard = possible.map { Int($0.other) } + (since == nil ? [first.hardLimit] : [])
        return (soft.min() ?? 0, hard.max() ?? 0)
    }
}

extension HistoryChecker {
    /// Never more connections than the hard limit, and none closed as excess that is not.
    ///
    /// A place is taken for certain from the end of the call that took it until the call begins that gives it back. A permit
    /// is right if at some moment of its call the places so taken, and this one, were within the highest hard limit that
    /// may have been in force. The other way round for excess: all that may have been there, looks for somebody to open
    /// for included, which have a place meanwhile, against the lowest soft limit.
    static func checkPlaces(_ events: [HistoryEvent], _ history: History) throws(Violation) {
        let limits = LimitsInForce(events, history)
        var certain = Course()
        var possible = Course()
        for event in events {
            let places = event.kind.places
            certain.add(places, at: places > 0 ? event.end + 1 : event.begin)
            let notClosing = places - event.kind.change.closing
            possible.add(notClosing, at: notClosing > 0 ? event.begin : event.end + 1)
            if event.kind == .openForNobody {
                possible.add(1, at: event.begin)
                possible.add(-1, at: event.end + 1)
            }
        }
        certain.finish()
        possible.finish()
        for event in events {
            let values: (Course) -> [Int] = { $0.values(from: event.begin, until: event.end) }
            switch event.kind {
            case .beginOpen:
                let limit = limits.between(event.begin, event.end).hardLimit
                guard values(certain).contains(where: { $0 + 1 <= limit }) else { throw Violation(.overLimit, event) }
            case .beginCloseExcess:
                let limit = limits.between(event.begin, event.end).maxSize
                guard values(possible).contains(where: { $0 > limit }) else {
                    throw Violation(.closedWithoutExcess, event)
                }
            default: break
            }
        }
    }
}
