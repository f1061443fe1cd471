// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The encoded samples of the last minute, and the coarser samples of the last hour.
struct SampleHistory: Sendable {
    struct Event: Sendable {
        let time: Int
        let text: ByteBuffer
    }

    /// One minute of samples.
    static let fineLength = 300
    /// One hour of coarse samples.
    static let coarseLength = 720

    private var fine: [Event] = []
    private var coarse: [Event] = []

    mutating func add(_ event: Event, isCoarse: Bool) {
        if isCoarse {
            Self.add(event, to: &coarse, limit: Self.coarseLength)
        } else {
            Self.add(event, to: &fine, limit: Self.fineLength)
        }
    }

    private static func add(_ event: Event, to events: inout [Event], limit: Int) {
        if events.count == limit { events.removeFirst() }
        events.append(event)
    }

    /// Returns the events after a time, the coarse ones first.
    func events(after time: Int) -> [Event] {
        coarse.filter { $0.time > time } + fine.filter { $0.time > time }
    }
}
