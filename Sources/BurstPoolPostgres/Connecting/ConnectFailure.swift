// SPDX-License-Identifier: Apache-2.0

/// Makes an error of the text with which libpq says why it could not connect.
enum ConnectFailure {
    /// - Parameters:
    ///   - message: libpq's text in its verbose form, with one part for each host or address that was tried.
    ///   - needsPassword: The server wanted a password, and there was none.
    ///   - isBeforeConnecting: The failure came before any host was tried.
    static func error(message: String, needsPassword: Bool, isBeforeConnecting: Bool) -> PostgresError {
        let lines = message.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        let text = lines.map { $0.drop { $0 == "\t" } }.joined(separator: "; ")
        let attempts = attempts(lines)
        let states = attempts.map(sqlState)

        // The error speaks of one cause only if all hosts failed for it.
        let state = states.first.flatMap { first in states.allSatisfy { $0 == first } ? first : nil }
        let report = PostgresError.Report(severity: state == nil ? nil : "FATAL", sqlState: state)
        let isAuthentication = needsPassword || (!states.isEmpty && states.allSatisfy { $0?.hasPrefix("28") == true })
        let code: PostgresError.Code
        if isAuthentication {
            code = .authenticationFailed
        } else if isBeforeConnecting, misconfigurations.contains(where: { text.hasPrefix($0) }) {
            code = .invalidConfiguration
        } else if !attempts.isEmpty, attempts.allSatisfy(isTLSFailure) {
            code = .tlsFailed
        } else {
            code = .connectFailed
        }
        return PostgresError(code, "No connection could be opened: \(text)", report: report)
    }

    /// The lines of each attempt to connect to one address, joined.
    private static func attempts(_ lines: [Substring]) -> [String] {
        var attempts: [String] = []
        for line in lines {
            if line.hasPrefix("connection to server") || attempts.isEmpty {
                attempts.append(String(line))
            } else {
                attempts[attempts.count - 1] += "\n" + line
            }
        }
        return attempts
    }

    /// The five characters in `FATAL:  28P01: password authentication failed`. The word before them may be translated.
    private static func sqlState(_ attempt: String) -> String? {
        guard let match = attempt.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) else { return nil }
        return String(match.1)
    }

    /// The beginnings of libpq's messages about parameters that make no sense.
    private static let misconfigurations = [
        "invalid ", "could not match ", "definition of service ", "service file ", "could not parse ", "syntax error ",
        "private key file ",
    ]

    private static func isTLSFailure(_ attempt: String) -> Bool {
        [
            "certificate", "SSL error", "server does not support SSL", "SSL required", "sslmode",
            "could not load private key",
        ].contains { attempt.contains($0) }
    }
}
