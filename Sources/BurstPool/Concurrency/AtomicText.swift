// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A short text in raw memory, which one thread writes while others may read it.
///
/// A reader may see parts of two texts, and therefore checks afterwards that what the text belongs to has not changed.
/// Memory of zeros is an empty text.
@usableFromInline
struct AtomicText {
    /// The bytes that the memory must have: 8 for the length, and the rest for the text.
    static let byteCount = 64
    private static let capacity = byteCount - 8

    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

    @inlinable @inline(__always)
    init(_ memory: UnsafeMutableRawPointer) {
        words = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inlinable @inline(__always)
    var isEmpty: Bool { words[0].load(ordering: .relaxed) == 0 }

    /// Stores a text, shortened to 56 bytes of UTF-8. `nil` and the empty text are the same.
    @usableFromInline
    func store(_ text: String?) {
        guard var text, !text.isEmpty else {
            words[0].store(0, ordering: .relaxed)
            return
        }
        text.withUTF8 { utf8 in
            let count = Self.lengthOfPrefix(utf8)
            let bytes = UnsafeRawBufferPointer(utf8)
            words[0].store(UInt64(count), ordering: .relaxed)
            for word in 0..<(count + 7) / 8 {
                var value: UInt64 = 0
                let part = UnsafeRawBufferPointer(rebasing: bytes[word * 8..<min(count, word * 8 + 8)])
                withUnsafeMutableBytes(of: &value) { $0.copyMemory(from: part) }
                words[1 + word].store(value.littleEndian, ordering: .relaxed)
            }
        }
    }

    func load() -> String? {
        let count = min(Int(words[0].load(ordering: .relaxed)), Self.capacity)
        guard count > 0 else { return nil }
        let bytes = (0..<count).map { index in
            UInt8(truncatingIfNeeded: words[1 + index / 8].load(ordering: .relaxed) >> UInt64(index % 8 * 8))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The length of the longest prefix that fits and does not end in the middle of a character's code unit sequence.
    private static func lengthOfPrefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard bytes.count > capacity else { return bytes.count }
        var end = capacity
        while end > 0, bytes[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        return end
    }
}

/// Returns the name of the current task, or `nil` if it has none or the system does not know names of tasks.
@inlinable @inline(__always)
func currentTaskName() -> String? {
    if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) { Task.name } else { nil }
}
