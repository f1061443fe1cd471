// SPDX-License-Identifier: Apache-2.0

/// Checks that memory does not grow: compares the use after a third of the time with the use at the end. Both are
/// measured between two pools, when nothing of the first pool should be left.
struct MemoryWatch {
    private var samples: [(time: Duration, footprint: Footprint)] = []

    /// The number of bytes by which the use may differ without a leak: buffers that have grown, and memory that the
    /// allocator has not returned to the system.
    private static let heapMargin = 4 << 20
    private static let residentMargin = 48 << 20

    mutating func record(_ footprint: Footprint, at time: Duration) {
        samples.append((time, footprint))
    }

    /// Returns a description of the growth, or `nil` if there is none.
    func growth(over length: Duration) -> String? {
        guard let (early, late) = ends(of: length) else { return nil }
        if late.heap > early.heap + Self.heapMargin {
            return "memory in use has grown from \(early.heap >> 10) to \(late.heap >> 10) KiB"
        }
        if late.resident > early.resident + Self.residentMargin {
            return "memory of the process has grown from \(early.resident >> 20) to \(late.resident >> 20) MiB"
        }
        return nil
    }

    private func ends(of length: Duration) -> (Footprint, Footprint)? {
        guard let late = samples.last, let early = samples.first(where: { $0.time >= length / 3 }) else { return nil }
        return (early.footprint, late.footprint)
    }

    var description: String {
        let figures = samples.map { "\($0.footprint.heap >> 10)/\($0.footprint.resident >> 10)" }
        return "Memory between the pools, KiB in use/resident: \(figures.joined(separator: " "))"
    }
}
