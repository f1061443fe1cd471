import BurstPoolRedis

/// A reply that is not to the command of the task that got it: what a pool must never let happen.
struct WrongReply: Error, CustomStringConvertible {
    let description: String

    init(task: Int, command: String, reply: RedisReply, expected: String) {
        description = "task \(task) sent \(command) and got \(brief(reply)) instead of \(expected)"
    }
}

/// A reply in a few words.
func brief(_ reply: RedisReply) -> String {
    switch reply {
    case .bulkString(let bytes): brief(bytes)
    default: "\(reply)"
    }
}

/// Bytes in a few words.
func brief(_ bytes: [UInt8]?) -> String {
    guard let bytes else { return "nothing" }
    let isText = bytes.count <= 60 && bytes.allSatisfy { (0x20..<0x7F).contains($0) }
    if isText { return "'\(String(decoding: bytes, as: UTF8.self))'" }
    let start = bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: " ")
    return "\(bytes.count) bytes (\(start) …)"
}

/// The values that would have been right.
func brief(_ candidates: [[UInt8]?]) -> String {
    candidates.map { brief($0) }.joined(separator: " or ")
}
