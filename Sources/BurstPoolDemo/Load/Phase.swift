/// What the load is like for a while.
enum Phase: Int, CaseIterable, Codable {
    /// Fewer callers than the pool keeps connections.
    case steady
    /// All callers at once, far more than there may be connections.
    case spike
    /// A few callers that take their time.
    case calm

    var name: String { "\(self)" }
}
