// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The options of the command line.
struct FuzzOptions<Target: FuzzTarget> {
    static func usage(_ program: String) -> String {
        """
        usage: \(program) [--seed NUMBER] [--seconds NUMBER | --inputs NUMBER] [--only KIND] [FILE...]
        The kinds of input are \(Target.allCases.map(\.rawValue).joined(separator: ", ")).
        Without files, checks the corpus and random inputs derived from it. With files, checks only these, as each kind of
        input unless --only names one.
        """
    }

    struct Misuse: Error {}

    var seed: UInt64 = .random(in: 1...999_999)
    /// The time for each kind of input.
    var seconds = 4.0
    var inputs = Int.max
    var targets = Array(Target.allCases)
    var files: [String] = []

    /// Parses the arguments.
    ///
    /// - Throws: ``Misuse``.
    init(_ arguments: some Sequence<String>) throws {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--seed": seed = try Self.value(arguments.next()) { UInt64($0) }
            case "--seconds": seconds = try Self.value(arguments.next()) { Double($0) }
            case "--inputs":
                inputs = try Self.value(arguments.next()) { Int($0) }
                seconds = .infinity
            case "--only": targets = [try Self.value(arguments.next()) { Target(rawValue: $0) }]
            default:
                guard !argument.hasPrefix("-") else { throw Misuse() }
                files.append(argument)
            }
        }
    }

    private static func value<Value>(_ text: String?, _ read: (String) -> Value?) throws -> Value {
        guard let value = text.flatMap(read) else { throw Misuse() }
        return value
    }
}
