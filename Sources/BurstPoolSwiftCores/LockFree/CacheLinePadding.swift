// SPDX-License-Identifier: Apache-2.0

/// Keeps the fields before it and the fields after it on different cache lines, and on different pairs of lines,
/// because CPUs often fetch lines in pairs.
struct CacheLinePadding {
    private typealias Eight = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    private let words: (Eight, Eight) = ((0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 0))
}
