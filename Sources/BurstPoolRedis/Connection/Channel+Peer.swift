// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Channel {
    /// Whether the operating system knows that the peer of a TCP connection has closed it. Called on the event loop.
    ///
    /// A busy event loop learns of it later, because it only polls its channels between batches of work. Returns
    /// `false` where the operating system cannot be asked, and for unix sockets, which report it when they are written
    /// to.
    var isClosedByPeer: Bool {
        #if os(Linux)
            guard localAddress?.protocol != .unix, let options = self as? any SocketOptionProvider else { return false }
            var isClosed = false
            // The future is complete already: the event loop asks the operating system at once.
            options.getTCPInfo().assumeIsolated().whenSuccess { isClosed = $0.tcpi_state != Self.established }
            return isClosed
        #else
            return false
        #endif
    }

    /// `TCP_ESTABLISHED`, which is a case of an enumeration without a type in C.
    private static var established: UInt8 { 1 }
}
