// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    /// The memory that the process has allocated, whether it is used or not.
    enum AddressSpace {
        private static let statistics = open("/proc/self/statm", O_RDONLY)

        /// The size of the address space in bytes.
        static var size: Int {
            var pages = 0
            withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
                let count = pread(statistics, buffer.baseAddress, buffer.count, 0)
                for byte in buffer.prefix(max(count, 0)) {
                    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
                    pages = pages * 10 + Int(byte - UInt8(ascii: "0"))
                }
            }
            return pages * 4096
        }
    }
#else
    /// Not measured on other systems, where it is expensive.
    enum AddressSpace {
        static var size: Int { 0 }
    }
#endif
