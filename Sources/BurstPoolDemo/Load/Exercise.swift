// SPDX-License-Identifier: Apache-2.0

/// What a task does with a leased connection.
enum Exercise: CaseIterable {
    /// `ECHO` of a unique text.
    case echo
    /// `SET` and `GET` of a short text.
    case writeText, readText
    /// `SET` and `GET` of arbitrary bytes, mostly few and sometimes 64 KiB.
    case writeBlob, readBlob
    /// `INCR`, which cannot be repeated, so a lost reply makes the counter uncertain.
    case increment
    /// `GETSET`, whose reply is the previous value.
    case exchange
    /// Eight commands in one write.
    case pipeline
    /// `MULTI` … `EXEC`.
    case transaction
    /// A command that the server must refuse, after which the connection is still usable.
    case refused

    /// The relative frequency of the exercise.
    private var weight: Int {
        switch self {
        case .echo, .readText, .increment: 4
        case .writeText: 3
        case .exchange, .pipeline: 2
        case .writeBlob, .readBlob, .transaction, .refused: 1
        }
    }

    private static let choices = allCases.flatMap { Array(repeating: $0, count: $0.weight) }

    static func random(using random: inout SplitMix64) -> Exercise {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }
}
