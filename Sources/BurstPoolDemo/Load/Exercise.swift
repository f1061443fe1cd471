/// What a task does with a connection it has been lent.
enum Exercise: CaseIterable {
    /// `ECHO` of what nobody else sends.
    case echo
    /// `SET` and `GET` of a short text.
    case writeText, readText
    /// `SET` and `GET` of bytes of any value, mostly few, at times 64 KiB.
    case writeBlob, readBlob
    /// `INCR`: not repeatable, so its outcome has to be accounted for when the reply is lost.
    case increment
    /// `GETSET`, whose reply is the value before.
    case exchange
    /// Eight commands in one write.
    case pipeline
    /// `MULTI` … `EXEC`.
    case transaction
    /// A command that the server must refuse, on a connection that stays usable.
    case refused

    /// How often each is chosen, in proportion.
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
