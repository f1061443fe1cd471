// SPDX-License-Identifier: Apache-2.0

@testable import BurstPoolPostgres
import FuzzHarness

/// The properties that must hold for every text with which libpq says why it could not connect.
///
/// - The error is the same each time, has one of the codes for a failure to connect, and has libpq's text.
/// - It has a SQLSTATE of five letters and digits, or none.
struct FailureProperties {
    private let needsPassword: Bool
    private let isBeforeConnecting: Bool
    private let message: String

    init(_ input: [UInt8]) {
        let flags = input.first ?? 0
        needsPassword = flags & 1 != 0
        isBeforeConnecting = flags & 2 != 0
        message = String(decoding: input.dropFirst(), as: UTF8.self)
    }

    private var error: PostgresError {
        ConnectFailure.error(message: message, needsPassword: needsPassword, isBeforeConnecting: isBeforeConnecting)
    }

    func check() throws {
        let error = error
        try require(error == self.error, "Two errors for the same text differ.")
        let codes: [PostgresError.Code] = [.connectFailed, .authenticationFailed, .tlsFailed, .invalidConfiguration]
        try require(codes.contains(error.code), "The code of the error is \(error.code).")
        try require(!needsPassword || error.code == .authenticationFailed, "A missing password is \(error.code).")
        if let state = error.sqlState {
            let isValid =
                state.utf8.count == 5 && state.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
            try require(isValid && message.contains(state), "The SQLSTATE is \"\(state)\".")
        }
        for line in message.split(separator: "\n") where !line.hasPrefix("LOCATION:") {
            let text = line.drop { $0 == "\t" }
            try require(error.message.contains(text), "The error does not have the line \"\(text)\": \(error.message)")
        }
    }
}
