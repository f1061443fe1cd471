// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// One or more commands that are sent together, and the replies to them.
///
/// ```
/// created ──submit──▶ inProgress ──last reply──▶ finished
///    │                    └───failure──────────▶ finished
///    └──cancel──▶ cancelled ──submit──▶ finished
/// ```
///
/// `completion` is called exactly once, on the transition to `finished`. If the exchange is abandoned before, it is called at
/// once, and the replies are still awaited, so that those behind them reach the right commands.
///
/// Sendable because all mutable state is accessed on the event loop of the channel only.
final class Exchange: @unchecked Sendable {
    typealias Completion = @Sendable (Result<[RedisReply], any Error>) -> Void

    enum State {
        case created, cancelled, inProgress, finished
    }

    /// The encoded commands.
    let bytes: ByteBuffer

    /// The number of commands, which is the number of replies to expect.
    let count: Int

    /// The time limit for all replies, from the moment of sending. `nil`: no limit.
    let timeout: TimeAmount?

    /// Whether the connection sends the commands on another channel if this one has closed before they were sent.
    let canMove: Bool

    private(set) var state = State.created

    /// Whether the server may have received the commands. If not, it is safe to send them on another channel.
    private(set) var isSent = false

    private(set) var replies: [RedisReply] = []
    private var completion: Completion?

    /// The time by which the last reply must have arrived.
    private(set) var deadline = NIODeadline.distantFuture

    init(bytes: ByteBuffer, count: Int, timeout: TimeAmount?, canMove: Bool = false) {
        self.bytes = bytes
        self.count = count
        self.timeout = timeout
        self.canMove = canMove
    }

    /// The message for a server that has not answered in time.
    var timeoutMessage: String {
        let seconds = Double(timeout?.nanoseconds ?? 0) / 1e9
        let what = count == 1 ? "the command" : "\(count - replies.count) of \(count) commands"
        return "The server did not answer \(what) within \(seconds) s."
    }

    /// Records that the commands are about to be sent.
    func willSend() {
        isSent = true
    }

    /// Records that the operating system has not accepted all bytes. The server has not received a complete command if
    /// there is only one.
    func couldNotSend() {
        if count == 1 { isSent = false }
    }

    /// created → cancelled. Does nothing in the other states.
    func cancelIfCreated() {
        if state == .created { state = .cancelled }
    }

    /// created → inProgress, or cancelled → finished.
    ///
    /// - Returns: Whether the commands are to be sent.
    func submit(_ completion: @escaping Completion) -> Bool {
        self.completion = completion
        guard state == .created else {
            finish(.failure(CancellationError()))
            return false
        }
        state = .inProgress
        if let timeout { deadline = .now() + timeout }
        replies.reserveCapacity(count)
        return true
    }

    /// Takes the reply to the next command. The last reply leads from inProgress to finished.
    func receive(_ reply: RedisReply) {
        replies.append(reply)
        if replies.count == count { finish(.success(replies)) }
    }

    /// inProgress → finished.
    func fail(_ error: any Error) {
        finish(.failure(error))
    }

    /// Calls `completion` with a `CancellationError`, and stays in progress until the last reply.
    func abandon() {
        guard state == .inProgress, let completion else { return }
        self.completion = nil
        completion(.failure(CancellationError()))
    }

    private func finish(_ result: Result<[RedisReply], any Error>) {
        state = .finished
        guard let completion else { return }
        self.completion = nil
        completion(result)
    }
}
