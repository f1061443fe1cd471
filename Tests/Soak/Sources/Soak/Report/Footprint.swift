import CFootprint
import Foundation

/// What this process has of the system.
struct Footprint: Sendable {
    /// Bytes of memory in use, by what the allocator has given out. 0 where it does not tell.
    let heap: Int
    /// Bytes of memory that the system has given. 0 where it does not tell.
    let resident: Int
    /// Sockets of connections, whose other end may have gone.
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
