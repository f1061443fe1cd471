// SPDX-License-Identifier: Apache-2.0

import Foundation
import PostgresFuzzProperties

/// The kind of input, which the environment names.
private let kind: PostgresInput = {
    let name = ProcessInfo.processInfo.environment["FUZZ_KIND"] ?? ""
    guard let kind = PostgresInput(rawValue: name) else {
        let kinds = PostgresInput.allCases.map(\.rawValue).joined(separator: ", ")
        FileHandle.standardError.write(Data("FUZZ_KIND is \"\(name)\" and must be one of \(kinds).\n".utf8))
        exit(2)
    }
    return kind
}()

/// libFuzzer calls this function with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func examine(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    do {
        try kind.check(input)
    } catch {
        // `abort` instead of a trap: Swift's backtrace of a trap would take longer than libFuzzer allows for an input.
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        abort()
    }
    return 0
}
