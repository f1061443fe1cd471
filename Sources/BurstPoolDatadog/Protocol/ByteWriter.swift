/// Writes bytes into memory that somebody else owns, and counts also those that do not fit.
struct ByteWriter {
    private let memory: UnsafeMutableRawBufferPointer

    /// How many bytes were written, or would have been, had there been room.
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    /// What was written. Only if it is not more than there was room for.
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

    /// A number in decimal digits.
    mutating func write(_ number: Int64) {
        write(number.description)
    }

    /// A finite number, in the shortest way that reads as the same number again.
    mutating func write(_ number: Double) {
        if let integer = Int64(exactly: number), abs(number) < 1e16 {
            write(integer)
        } else {
            write(number.description)
        }
    }
}
