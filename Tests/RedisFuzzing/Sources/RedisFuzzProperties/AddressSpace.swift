#if os(Linux)
    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    /// How much memory the process has asked the system for, used or not.
    enum AddressSpace {
        private static let statistics = open("/proc/self/statm", O_RDONLY)

        /// In bytes.
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
    /// Where the system does not tell it cheaply, it is not looked at.
    enum AddressSpace {
        static var size: Int { 0 }
    }
#endif
