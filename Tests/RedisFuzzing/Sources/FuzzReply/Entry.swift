import Foundation
import RedisFuzzProperties

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func examine(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    do {
        try FuzzTarget.reply.check(input)
    } catch {
        // Not a trap, of which Swift's own backtrace would take longer than libFuzzer allows for an input.
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        abort()
    }
    return 0
}
