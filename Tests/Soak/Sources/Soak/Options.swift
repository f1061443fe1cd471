// SPDX-License-Identifier: Apache-2.0

/// The options of the command line.
struct Options: Sendable {
    static let usage = """
        usage: Soak [--postgres] [--seconds NUMBER | --minutes NUMBER] [--seed NUMBER] [--patience SECONDS] [--break WHAT]
          --postgres  pools on PostgreSQL instead of Redis
          --seconds   the approximate duration. Default: 20
          --seed      the seed of the random choices, which does not determine the timing
          --patience  the time limit in seconds for expected conditions. Default: 60
          --break     a fault to make on purpose: \(Sabotage.allCases.map(\.rawValue).joined(separator: ", "))
        """

    struct Misuse: Error {}

    var isForPostgres = false
    var seed: UInt64 = .random(in: 1...999_999)
    var length = Duration.seconds(20)
    /// The time within which expected conditions must hold. Long, because the machine may be slow.
    var patience = Duration.seconds(60)
    var sabotage: Sabotage?

    /// - Throws: ``Misuse``
    init(_ arguments: some Sequence<String>) throws {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--postgres": isForPostgres = true
            case "--seed": seed = try Self.value(arguments.next()) { UInt64($0) }
            case "--seconds": length = .seconds(try Self.number(arguments.next()))
            case "--minutes": length = .seconds(60 * (try Self.number(arguments.next())))
            case "--patience": patience = .seconds(try Self.number(arguments.next()))
            case "--break": sabotage = try Self.value(arguments.next()) { Sabotage(rawValue: $0) }
            default: throw Misuse()
            }
        }
    }

    private static func number(_ text: String?) throws -> Double {
        try value(text) { text in Double(text).flatMap { $0 > 0 && $0 < 1e7 ? $0 : nil } }
    }

    private static func value<Value>(_ text: String?, _ read: (String) -> Value?) throws -> Value {
        guard let value = text.flatMap(read) else { throw Misuse() }
        return value
    }
}
