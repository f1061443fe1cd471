// SPDX-License-Identifier: Apache-2.0

import Foundation
import RedisFuzzProperties

/// libFuzzer calls this function with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func examine(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    do {
        try RedisInput.url.check(input)
    } catch {
        // `abort` instead of a trap: Swift's backtrace of a trap would take longer than libFuzzer allows for an input.
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        abort()
    }
    return 0
}
