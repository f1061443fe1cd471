import NIOCore

/// One or more commands that are sent together, and the replies to them.
///
/// ```
/// created ──submit──▶ underway ──last reply──▶ finished
///    │                   └──failure───────────▶ finished
///    └──cancel──▶ cancelled ──submit──▶ finished
/// ```
///
/// `completion` is called once, on the way into `finished`.
///
/// Sendable because everything that changes is touched on the event loop of its channel only.
final class Exchange: @unchecked Sendable {
    typealias Completion = @Sendable (Result<[RedisReply], any Error>) -> Void

    enum State {
        case created, cancelled, underway, finished
    }

    /// The commands, formatted.
    let bytes: ByteBuffer

    /// How many commands there are, hence how many replies there will be.
    let count: Int

    /// How long the replies may take, from the moment of sending. `nil`: for ever.
    let timeout: TimeAmount?

    private(set) var state = State.created
    private(set) var replies: [RedisReply] = []
    private var completion: Completion?

    /// Until when the last reply must be there.
    private(set) var deadline = NIODeadline.distantFuture

    init(bytes: ByteBuffer, count: Int, timeout: TimeAmount?) {
        self.bytes = bytes
        self.count = count
        self.timeout = timeout
    }

    /// created → cancelled. A no-op in the other states.
    func cancelIfCreated() {
        if state == .created { state = .cancelled }
    }

    /// created → underway, or cancelled → finished.
    ///
    /// - Returns: Whether the commands are to be sent.
    func submit(_ completion: @escaping Completion) -> Bool {
        self.completion = completion
        guard state == .created else {
            finish(.failure(CancellationError()))
            return false
        }
        state = .underway
        if let timeout { deadline = .now() + timeout }
        replies.reserveCapacity(count)
        return true
    }

    /// Takes the reply to the next command; the last one leads from underway to finished.
    func receive(_ reply: RedisReply) {
        replies.append(reply)
        if replies.count == count { finish(.success(replies)) }
    }

    /// underway → finished.
    func fail(_ error: any Error) {
        finish(.failure(error))
    }

    private func finish(_ result: Result<[RedisReply], any Error>) {
        guard let completion else { return }
        self.completion = nil
        state = .finished
        completion(result)
    }
}
