// SPDX-License-Identifier: Apache-2.0

import CFootprint
import Foundation

/// The resources that this process uses.
struct Footprint: Sendable {
    /// Bytes of memory in use according to the allocator, or 0 if it does not tell.
    let heap: Int
    /// Bytes of resident memory, or 0 if the system does not tell.
    let resident: Int
    /// The number of sockets of connections, including those whose other end is closed.
    let connections: Int

    static func now() -> Footprint {
        #if os(Linux)
            let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
            let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            let resident = pages * sysconf(Int32(_SC_PAGESIZE))
        #else
            let resident = 0
        #endif
        return Footprint(
            heap: footprint_heap_bytes(),
            resident: resident,
            connections: Int(footprint_connections())
        )
    }
}
