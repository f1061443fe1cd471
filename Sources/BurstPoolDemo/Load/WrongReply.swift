// SPDX-License-Identifier: Apache-2.0

/// A reply that does not belong to the command of the task, which a pool must never allow.
struct WrongReply: Error, CustomStringConvertible {
    let description: String

    init(task: Int, command: String, reply: String, expected: String) {
        description = "task \(task) sent \(command) and received \(reply) instead of \(expected)"
    }
}

/// Returns a short description of bytes.
func brief(_ bytes: [UInt8]?) -> String {
    guard let bytes else { return "nothing" }
    let isText = bytes.count <= 60 && bytes.allSatisfy { (0x20..<0x7F).contains($0) }
    if isText { return "'\(String(decoding: bytes, as: UTF8.self))'" }
    let start = bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: " ")
    return "\(bytes.count) bytes (\(start) …)"
}

/// Returns a short description of the possible values.
func brief(_ candidates: [[UInt8]?]) -> String {
    candidates.map { brief($0) }.joined(separator: " or ")
}
