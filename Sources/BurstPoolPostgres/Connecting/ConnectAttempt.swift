// SPDX-License-Identifier: Apache-2.0

import CLibPQ
import Synchronization

/// A connection of libpq that one party hands to another.
struct OpenedConnection: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// Opens one connection with libpq.
///
/// It runs in a thread that may block, because libpq resolves names and reads files without an asynchronous way to do so.
final class ConnectAttempt: Sendable {
    private let parameters: [String: String]
    private let timeout: Duration
    private let onNotice: (@Sendable (PostgresNotice) -> Void)?
    private let isCancelled = Atomic<Bool>(false)

    /// How long it can take until a cancellation is noticed.
    private static let cancellationSlice: Int32 = 20

    init(parameters: [String: String], timeout: Duration, onNotice: (@Sendable (PostgresNotice) -> Void)?) {
        self.parameters = parameters
        self.timeout = timeout
        self.onNotice = onNotice
    }

    func run() async throws -> OpenedConnection {
        try Task.checkCancellation()
        let result = await withTaskCancellationHandler {
            await BlockingWork.run { self.connect() }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
        return try result.get()
    }

    private enum Outcome {
        case opened(OpenedConnection)
        case failed(any Error)
        /// The current host did not answer in time. These parameters have the hosts after it, if there are any.
        case timedOut(remaining: [String: String]?, host: String)
    }

    private func connect() -> Result<OpenedConnection, any Error> {
        var parameters = parameters
        var silentHosts: [String] = []
        while true {
            switch attempt(parameters) {
            case .opened(let opened): return .success(opened)
            case .failed(let error): return .failure(error)
            case .timedOut(let remaining?, let host):
                silentHosts.append(host)
                parameters = remaining
            case .timedOut(nil, let host):
                silentHosts.append(host)
                let text = "No connection to \(silentHosts.joined(separator: ", ")) could be opened within \(timeout)."
                return .failure(PostgresError(.connectTimedOut, text))
            }
        }
    }

    /// Tries the hosts of the parameters in turn, as libpq does, until one of them exceeds its time.
    private func attempt(_ parameters: [String: String]) -> Outcome {
        guard let connection = Self.start(parameters) else {
            return .failed(PostgresError(.connectFailed, "There is not enough memory for a connection."))
        }
        var isKept = false
        defer { if !isKept { PQfinish(connection) } }

        func failure(isBeforeConnecting: Bool = false) -> Outcome {
            .failed(
                ConnectFailure.error(
                    message: String(cString: PQerrorMessage(connection)),
                    needsPassword: PQconnectionNeedsPassword(connection) != 0,
                    isBeforeConnecting: isBeforeConnecting
                )
            )
        }

        // The server may warn while the connection opens, or end it as soon as it is open. libpq alone would print that.
        let notices = NoticeReceiver(onNotice)
        notices.attach(to: connection)
        defer { withExtendedLifetime(notices) { NoticeReceiver.detach(from: connection) } }

        if PQstatus(connection) == CONNECTION_BAD { return failure(isBeforeConnecting: true) }
        // The verbose form of an error message contains the SQLSTATE, which libpq gives in no other way here.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        var host = Self.currentHost(connection)
        var deadline = ContinuousClock.now + timeout
        var state = PGRES_POLLING_WRITING
        while true {
            if isCancelled.load(ordering: .relaxed) { return .failed(CancellationError()) }
            switch state {
            case PGRES_POLLING_OK:
                PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
                isKept = true
                return .opened(OpenedConnection(pointer: connection))
            case PGRES_POLLING_FAILED: return failure()
            default: break
            }
            guard ContinuousClock.now < deadline else {
                return .timedOut(remaining: Self.hosts(after: host, of: connection, parameters), host: host.name)
            }
            let writes: Int32 = state == PGRES_POLLING_WRITING ? 1 : 0
            guard clibpq_wait(PQsocket(connection), writes, Self.cancellationSlice) != 0 else { continue }
            state = PQconnectPoll(connection)
            let newHost = Self.currentHost(connection)
            if newHost != host {
                host = newHost
                deadline = .now + timeout
            }
        }
    }

    private static func start(_ parameters: [String: String]) -> OpaquePointer? {
        let pairs = parameters.sorted { $0.key < $1.key }
        let keywords = pairs.map { UnsafePointer(strdup($0.key)) } + [nil]
        let values = pairs.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer { for pointer in keywords + values { free(UnsafeMutablePointer(mutating: pointer)) } }
        return PQconnectStartParams(keywords, values, 0)
    }

    private struct Host: Equatable {
        let name: String
        let port: String
    }

    private static func currentHost(_ connection: OpaquePointer) -> Host {
        Host(name: String(cString: PQhost(connection)), port: String(cString: PQport(connection)))
    }

    /// The parameters without the hosts up to and including one; `nil` if none remains.
    private static func hosts(
        after host: Host,
        of connection: OpaquePointer,
        _ parameters: [String: String]
    ) -> [String: String]? {
        func list(_ name: String) -> [String] {
            parameters[name]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        }
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(names.count, addresses.count)
        let index = (0..<count).first { index in
            let isNamed = index < names.count && names[index] == host.name
            let isAddressed = index < addresses.count && addresses[index] == host.name
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : host.port
            return (isNamed || isAddressed) && (port.isEmpty || port == host.port)
        }
        guard let index, index + 1 < count else { return nil }
        var remaining = parameters
        for (name, list) in [("host", names), ("hostaddr", addresses), ("port", ports)] where list.count > 1 {
            remaining[name] = list.dropFirst(index + 1).joined(separator: ",")
        }
        return remaining
    }
}
