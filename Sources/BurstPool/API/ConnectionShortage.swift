// SPDX-License-Identifier: Apache-2.0

/// Why a caller did not get a connection: whether the pool was busy, or its server did not work.
///
/// Later versions can add cases, so a `switch` needs an `@unknown default`.
@nonexhaustive
public enum ConnectionShortage: String, Sendable, Hashable {
    /// Other callers were served meanwhile. There are too few connections for the load, or they are held for too long.
    case busy
    /// No connection could be opened, and none came back while the caller waited.
    case serverUnreachable
    /// No connection opened, failed to open or came back while the caller waited: the server does not answer, or the holders
    /// of the connections keep them for longer than the caller waited.
    case serverUnresponsive
}
