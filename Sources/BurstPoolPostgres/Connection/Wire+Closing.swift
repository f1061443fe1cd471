// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension Wire {
    /// How long to wait for the end of the server process.
    private static let closeTimeout = Duration.seconds(1)

    /// Closes the connection and waits until the server has closed its side, which it does when its process ends.
    func close() async {
        if isBusy {
            // The statement in progress still uses libpq's memory. It fails now, and the memory is freed later.
            return watch.sever()
        }
        guard isOpen else { return finish() }
        // libpq tells the server that the client is leaving, and closes its descriptor. With a second one for the same
        // socket, the server's answer can be waited for.
        let duplicate = clibpq_duplicate(PQsocket(connection))
        finish()
        guard duplicate >= 0 else { return }
        defer { clibpq_close(duplicate) }
        guard let farewell = try? SocketWatch(socket: duplicate, reactor: try .next()) else { return }
        farewell.limitWaits(until: .now + Self.closeTimeout)
        while !farewell.isClosed {
            if case .timedOut = await farewell.wait() { break }
        }
        farewell.sever()
        farewell.end()
    }
}

extension Wire {
    /// Returns the next piece of the data of a `COPY … TO STDOUT`; `nil` at its end.
    func nextCopyChunk() async throws -> [UInt8]? {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(connection, &buffer, 1)
            switch length {
            case 1...:
                defer { PQfreemem(buffer) }
                return Array(UnsafeRawBufferPointer(start: buffer, count: Int(length)))
            case 0:
                // libpq reports a lost connection here only in its blocking mode.
                guard PQstatus(connection) == CONNECTION_OK else {
                    sever()
                    throw lost()
                }
                try await receive()
            case -1: return nil
            default:
                sever()
                throw lost()
            }
        }
    }
}
