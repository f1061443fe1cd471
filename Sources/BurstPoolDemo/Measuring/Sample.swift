import BurstPool

/// The pool at one moment.
struct Sample: Sendable {
    /// Since the start of the load.
    var time: Duration
    var idle: Int
    var inUse: Int
    var connecting: Int
    var closing: Int
    var waiting: Int
    /// Commands answered so far.
    var commands: Int
    var errors: Int
    /// Connections opened, closed and killed so far.
    var opened: Int
    var closed: Int
    var killed: Int

    var total: Int { idle + inUse + connecting + closing }
    var seconds: Double { time / .seconds(1) }
}
