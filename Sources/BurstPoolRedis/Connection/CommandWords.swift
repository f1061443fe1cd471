// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The first arguments of a command, in lower case.
struct CommandWords {
    /// The name of the command; empty if it is longer than the names that matter here.
    let name: String

    private let scratch: ByteBuffer
    private let ends: [Int]

    /// Names of up to this length fit into a `String` without an allocation.
    private static let maximumBytes = 15

    init(scratch: ByteBuffer, ends: [Int]) {
        self.scratch = scratch
        self.ends = ends
        name = Self.word(scratch, ends, 0) ?? ""
    }

    /// The number of words, including the name.
    var count: Int { ends.count }

    /// The argument at an index; `nil` if there is none or it is longer than the words that matter here.
    subscript(index: Int) -> String? {
        Self.word(scratch, ends, index)
    }

    private static func word(_ scratch: ByteBuffer, _ ends: [Int], _ index: Int) -> String? {
        guard index < ends.count else { return nil }
        let start = index == 0 ? 0 : ends[index - 1]
        guard ends[index] - start <= maximumBytes else { return nil }
        return scratch.getString(at: start, length: ends[index] - start)?.lowercased()
    }
}
