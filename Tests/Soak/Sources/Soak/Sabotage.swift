// SPDX-License-Identifier: Apache-2.0

/// Ways to break the soak on purpose. One of its checks must notice each of them. `Tests/Soak/controls` runs them all.
enum Sabotage: String, CaseIterable, Sendable {
    /// The proxy gives a client the reply to another one, as a pool would do that leases a connection with an unread
    /// reply.
    case swapReplies = "swap-replies"
    /// The proxy spoils what the server sends, and does not count it. To a client, this looks like a connection with an
    /// unread reply.
    case spoilUncounted = "spoil-uncounted"
    /// A lease that never ends.
    case keepLease = "keep-lease"
    /// An open connection that the pool does not know.
    case loseConnection = "lose-connection"
    /// A caller that is never resumed.
    case loseCaller = "lose-caller"
    /// Memory that each pool leaves behind.
    case keepMemory = "keep-memory"

    // For PostgreSQL only.

    /// A request to cancel a statement that arrives after the statement has ended, as it would from a connection that goes
    /// on before the server has dealt with the request.
    case lateCancel = "late-cancel"
    /// A transfer between two accounts that is not one transaction.
    case splitTransaction = "split-transaction"
    /// A session whose settings remain for the next caller, as an open transaction would.
    case keepSetting = "keep-setting"
}
