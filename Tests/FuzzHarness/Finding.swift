// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An input that violates a property.
struct Finding<Target: FuzzTarget> {
    let target: Target
    private(set) var input: [UInt8]
    private(set) var violation: any Error

    /// Checks an input. Returns `nil` if it violates no property.
    init?(_ target: Target, _ input: [UInt8]) {
        do {
            try target.check(input)
            return nil
        } catch {
            self.target = target
            self.input = input
            violation = error
        }
    }

    /// Removes the parts of the input that the violation does not need, in smaller and smaller pieces.
    mutating func shrink() {
        var size = input.count / 2
        while size > 0 {
            var start = 0
            while start < input.count {
                var shorter = input
                shorter.removeSubrange(start..<min(start + size, input.count))
                if let finding = Finding(target, shorter) { self = finding } else { start += size }
            }
            size /= 2
        }
    }

    /// Saves the input in the corpus, so that every later run checks it.
    func save(in corpus: URL) throws -> URL {
        let name = input.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
        let file = corpus.appendingPathComponent("\(target.rawValue)/found-\(String(name, radix: 16))")
        try Data(input).write(to: file)
        return file
    }

    var description: String {
        let text = String(reflecting: String(decoding: input.prefix(200), as: UTF8.self))
        return "\(violation)\n    \(target.rawValue) of \(input.count) bytes: \(text)"
    }
}
