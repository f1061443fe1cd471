/// Keeps what stands before it and what stands behind it in a structure off each other's cache lines, and off the pairs
/// of lines that CPUs like to fetch together.
struct CacheLinePadding {
    private typealias Eight = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    private let words: (Eight, Eight) = ((0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 0))
}
