// SPDX-License-Identifier: Apache-2.0

/// Writes bytes into memory that the caller owns, and counts bytes that do not fit as well.
struct ByteWriter {
    private let memory: UnsafeMutableRawBufferPointer

    /// The number of bytes written, including bytes that did not fit.
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    /// The written bytes. Valid only if all of them fit.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    mutating func write(_ byte: UInt8) {
        if count < memory.count { memory[count] = byte }
        count += 1
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        if count + bytes.count <= memory.count {
            UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + bytes.count)]).copyMemory(from: bytes)
        }
        count += bytes.count
    }

    mutating func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write($0) }
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Writes an integer in decimal digits.
    mutating func write(_ number: Int64) {
        write(number.description)
    }

    /// Writes a finite number in the shortest form that parses to the same value.
    mutating func write(_ number: Double) {
        if let integer = Int64(exactly: number), abs(number) < 1e16 {
            write(integer)
        } else {
            write(number.description)
        }
    }
}
