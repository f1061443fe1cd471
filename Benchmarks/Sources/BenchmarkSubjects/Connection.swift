/// What the pools in the benchmarks keep. Not `Sendable`, as connections of real clients seldom are.
public final class Connection {
    public var uses = 0

    @inlinable
    public init() {}

    /// Something asynchronous that does not suspend, as most calls of a buffered client are.
    @inlinable
    public nonisolated(nonsending) func use() async {
        uses &+= 1
    }
}
