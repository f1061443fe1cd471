/// Ways to break the soak on purpose, each of which one of its checks must notice: `Tests/Soak/controls` runs them all.
enum Sabotage: String, CaseIterable, Sendable {
    /// The proxy gives a client the reply to another one, as a pool would that lends a connection out of step.
    case swapReplies = "swap-replies"
    /// The proxy spoils what the server sends, and keeps quiet about it: what a client sees of that looks as if it had got
    /// out of step by itself.
    case spoilUncounted = "spoil-uncounted"
    /// A lease that never ends.
    case keepLease = "keep-lease"
    /// A connection that is open, and that the pool does not know of.
    case loseConnection = "lose-connection"
    /// A caller that nobody ever resumes.
    case loseCaller = "lose-caller"
    /// Memory that each pool leaves behind.
    case keepMemory = "keep-memory"
}
