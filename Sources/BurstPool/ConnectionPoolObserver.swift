/// Is told of what happens in a pool and no caller can be told of.
///
/// Called from whatever task or thread the event happens on, so implementations must be quick and must not block. Each
/// method does nothing unless it is implemented.
public protocol ConnectionPoolObserver: Sendable {
    /// A connection did not open. The caller on whose behalf it was tried is told as well, if it still waits.
    func connectionPool(failedToOpen error: any Error)

    /// Closing a connection failed, and the error did not reach a caller. The connection counts as gone.
    func connectionPool(failedToClose error: any Error)
}

extension ConnectionPoolObserver {
    public func connectionPool(failedToOpen error: any Error) {}
    public func connectionPool(failedToClose error: any Error) {}
}
