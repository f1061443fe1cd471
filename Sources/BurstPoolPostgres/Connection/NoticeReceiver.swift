// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// Passes notices of the server to a closure. Without one they are ignored; libpq alone would print them.
final class NoticeReceiver {
    private let action: (@Sendable (PostgresNotice) -> Void)?
    /// With what the server ended the session between two statements.
    private(set) var farewell: PostgresError.Report?

    init(_ action: (@Sendable (PostgresNotice) -> Void)?) {
        self.action = action
    }

    /// Receives the notices of a connection, which must be closed before this object goes away.
    func attach(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { receiver, result in
                guard let receiver, let result else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(receiver).takeUnretainedValue().receive(
                    PostgresError.Report(of: result)
                )
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    /// Has the notices of a connection ignored.
    static func detach(from connection: OpaquePointer) {
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    private func receive(_ report: PostgresError.Report) {
        if report.severity == "FATAL" || report.severity == "PANIC" { farewell = report }
        action?(PostgresNotice(report))
    }
}
