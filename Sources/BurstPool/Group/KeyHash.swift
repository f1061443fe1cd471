// SPDX-License-Identifier: Apache-2.0

/// The hash values of a group's keys.
///
/// `Hasher` takes about 100 instructions for an integer and 250 for a short string, which is more than the rest of a look-up.
/// So integers, and strings of ASCII characters, are hashed here. All other keys are hashed by `Hasher`.
///
/// The values depend on two random numbers of the group. A user who chooses keys, such as the name of a tenant,
/// does not know these numbers, and so cannot choose keys whose hash values are equal.
@usableFromInline
struct KeyHash: Sendable {
    @usableFromInline let seed: UInt64
    @usableFromInline let factor: UInt64

    init() {
        seed = .random(in: .min ... .max)
        factor = .random(in: .min ... .max) | 1
    }

    @inlinable @inline(__always)
    func callAsFunction<Key: Hashable>(_ key: Key) -> Int {
        // The compiler knows the type of the key where the group is used, and keeps one of these branches.
        if Key.self == Int.self { return hash(UInt64(truncatingIfNeeded: unsafeBitCast(key, to: Int.self))) }
        if Key.self == UInt64.self { return hash(unsafeBitCast(key, to: UInt64.self)) }
        if Key.self == Int64.self { return hash(UInt64(bitPattern: unsafeBitCast(key, to: Int64.self))) }
        if Key.self == Int32.self { return hash(UInt64(truncatingIfNeeded: unsafeBitCast(key, to: Int32.self))) }
        if Key.self == UInt32.self { return hash(UInt64(unsafeBitCast(key, to: UInt32.self))) }
        if Key.self == String.self { return hash(unsafeBitCast(key, to: String.self)) }
        return key.hashValue
    }

    /// Multiplies, and folds the upper half of the product onto the lower one, so that every bit depends on every bit.
    @inlinable @inline(__always)
    func mix(_ word: UInt64) -> UInt64 {
        let product = (word ^ seed).multipliedFullWidth(by: factor)
        return product.high ^ product.low
    }

    @inlinable @inline(__always)
    func hash(_ word: UInt64) -> Int { Int(truncatingIfNeeded: mix(word)) }

    @inlinable @inline(__always)
    func hash(_ text: String) -> Int {
        if let hash = text.utf8.withContiguousStorageIfAvailable({ hashASCII($0) }), let hash { return hash }
        return hashUncommonly(text)
    }

    /// Returns the hash value of a text of ASCII characters, and `nil` for other texts.
    @inlinable @inline(__always)
    func hashASCII(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = UnsafeRawPointer(text.baseAddress) else { return hash(0) }
        let count = text.count
        var all: UInt64 = 0
        var state = UInt64(truncatingIfNeeded: count)
        let last: UInt64
        if count >= 8 {
            var offset = 0
            while offset < count &- 8 {
                let word = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                all |= word
                state = mix(state ^ word)
                offset &+= 8
            }
            // May overlap the word before it.
            last = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else {
            var word: UInt64 = 0
            for byte in text { word = word &<< 8 | UInt64(byte) }
            last = word
        }
        return (all | last) & 0x8080_8080_8080_8080 == 0 ? hash(mix(state) ^ last) : nil
    }

    /// Returns the hash value of a text that is not stored as contiguous ASCII.
    ///
    /// Two texts can be equal although their characters differ. `Hasher` takes care of that, except that three characters outside
    /// of ASCII are equal to ASCII characters: the Greek question mark, the Greek varia, and the Kelvin sign.
    @usableFromInline @inline(never)
    func hashUncommonly(_ text: String) -> Int {
        var ascii: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x037E: ascii.append(0x3B)
            case 0x1FEF: ascii.append(0x60)
            case 0x212A: ascii.append(0x4B)
            case 0..<0x80: ascii.append(UInt8(scalar.value))
            default: return text.hashValue
            }
        }
        return ascii.withUnsafeBufferPointer { hashASCII($0) } ?? text.hashValue
    }
}
