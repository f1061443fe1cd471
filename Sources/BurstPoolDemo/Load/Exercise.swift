// SPDX-License-Identifier: Apache-2.0

/// What a task does with a leased connection.
enum Exercise: CaseIterable {
    /// A unique text that the server sends back.
    case echo
    /// A short text.
    case writeText, readText
    /// Arbitrary bytes, mostly few and sometimes 64 KiB.
    case writeBlob, readBlob
    /// An increment, which cannot be repeated, so a lost reply makes the counter uncertain.
    case increment
    /// A write whose reply is the previous value.
    case exchange
    /// Several commands in one write.
    case pipeline
    /// An increment and a read in one transaction.
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
