// SPDX-License-Identifier: Apache-2.0

import CExplorer
import Synchronization

/// The atomic operations of the core under exploration: each is a point at which another thread may go on.
///
/// It has the name and the methods of `Synchronization.Atomic`, which the core is written with, and takes its place because
/// it is of the same module. What an operation does to memory is in `memory.c`. Under x86-TSO, every read-modify-write and
/// every sequentially consistent store drains the store buffer of its thread, as the instructions do that Swift emits.
public struct Atomic<Value: ExploredValue>: ~Copyable {
    /// Only for its address, which does not change.
    let cell: Synchronization.Atomic<UInt64>

    public init(_ value: Value) {
        cell = Synchronization.Atomic(value.word)
    }

    private borrowing func withCell<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        withUnsafePointer(to: cell) { body(UnsafeMutableRawPointer(mutating: $0)) }
    }

    public borrowing func load(ordering: ExploredOrdering) -> Value {
        Value(word: withCell { explored_load($0, ordering != .relaxed) })
    }

    public borrowing func store(_ value: Value, ordering: ExploredOrdering) {
        withCell { cell in
            if ordering == .sequentiallyConsistent {
                _ = explored_exchange(cell, value.word)
            } else {
                explored_store(cell, value.word, ordering == .releasing)
            }
        }
    }

    public borrowing func exchange(_ value: Value, ordering: ExploredOrdering) -> Value {
        Value(word: withCell { explored_exchange($0, value.word) })
    }

    public borrowing func compareExchange(
        expected: Value,
        desired: Value,
        ordering: ExploredOrdering
    ) -> (exchanged: Bool, original: Value) {
        var found = expected.word
        let exchanged = withCell { explored_cas($0, &found, desired.word) }
        return (exchanged, Value(word: found))
    }

    @discardableResult
    public borrowing func wrappingAdd(_ delta: Value, ordering: ExploredOrdering) -> (oldValue: Value, newValue: Value)
    {
        let before = withCell { explored_add($0, delta.word) }
        return (Value(word: before), Value(word: before &+ delta.word))
    }

    @discardableResult
    public borrowing func wrappingSubtract(
        _ delta: Value,
        ordering: ExploredOrdering
    ) -> (oldValue: Value, newValue: Value) {
        let before = withCell { explored_add($0, 0 &- delta.word) }
        return (Value(word: before), Value(word: before &- delta.word))
    }
}

/// A pair of words that is exchanged as one: for `Atomic<WordPair>`, whose halves are also read one by one.
struct AtomicPair: ~Copyable {
    let first: Synchronization.Atomic<UInt64>
    let second: Synchronization.Atomic<UInt64>

    borrowing func compareExchange(
        expected: WordPair,
        desired: WordPair,
        ordering: ExploredOrdering
    ) -> (exchanged: Bool, original: WordPair) {
        var found = (UInt64(expected.first), UInt64(expected.second))
        var new = (UInt64(desired.first), UInt64(desired.second))
        let exchanged = withUnsafePointer(to: self) { cells in
            withUnsafeMutableBytes(of: &found) { found in
                withUnsafeMutableBytes(of: &new) { new in
                    explored_cas_pair(
                        UnsafeMutableRawPointer(mutating: cells),
                        found.baseAddress?.assumingMemoryBound(to: UInt64.self),
                        new.baseAddress?.assumingMemoryBound(to: UInt64.self)
                    )
                }
            }
        }
        return (exchanged, WordPair(first: UInt(found.0), second: UInt(found.1)))
    }
}

struct WordPair {
    var first: UInt
    var second: UInt
}

public enum ExploredOrdering {
    case relaxed, acquiring, releasing, acquiringAndReleasing, sequentiallyConsistent
}

/// What fits into the cell of an ``Atomic``.
public protocol ExploredValue {
    init(word: UInt64)
    var word: UInt64 { get }
}

extension UInt64: ExploredValue {
    public init(word: UInt64) { self = word }
    public var word: UInt64 { self }
}

extension UInt: ExploredValue {
    public init(word: UInt64) { self = UInt(word) }
    public var word: UInt64 { UInt64(self) }
}

extension Int: ExploredValue {
    public init(word: UInt64) { self = Int(bitPattern: UInt(word)) }
    public var word: UInt64 { UInt64(UInt(bitPattern: self)) }
}

extension Bool: ExploredValue {
    public init(word: UInt64) { self = word != 0 }
    public var word: UInt64 { self ? 1 : 0 }
}
