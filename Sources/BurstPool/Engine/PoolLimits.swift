import Synchronization

/// `maxSize` and the hard limit, as they were last set: in one word, so that no two calls mix theirs.
struct PoolLimits: ~Copyable {
    struct Values: Equatable {
        var maxSize: Int
        var hardLimit: Int
    }

    private let word: Atomic<UInt64>

    init(_ values: Values) {
        word = Atomic(Self.pack(values))
    }

    // Sequentially consistent, all of them: whoever sets limits looks at the total afterwards, and whoever changes the total
    // looks at the limits.

    var values: Values {
        let bits = word.load(ordering: .sequentiallyConsistent)
        return Values(maxSize: Int(bits >> 32), hardLimit: Int(bits & 0xffff_ffff))
    }

    var maxSize: Int { values.maxSize }
    var hardLimit: Int { values.hardLimit }

    func set(_ values: Values) {
        word.store(Self.pack(values), ordering: .sequentiallyConsistent)
    }

    /// A pool has room for fewer than 2^30.
    private static func pack(_ values: Values) -> UInt64 {
        UInt64(values.maxSize) << 32 | UInt64(values.hardLimit)
    }
}
