// SPDX-License-Identifier: Apache-2.0

/// The samples in one column of the picture.
struct Point {
    var time: Double
    /// The maximum in the column, so that no peak is lost.
    var total: Double
    /// The average, because the value changes faster than it is sampled.
    var inUse: Double
    var waiting: Double
    var throughput: Double
    /// The number of connections killed in the column.
    var killed: Int

    static func points(of timeline: Timeline, columns: Int) -> [Point] {
        let samples = timeline.samples
        let stride = max(1, (samples.count + columns - 1) / columns)
        var points: [Point] = []
        var killedBefore = 0
        for start in Swift.stride(from: 0, to: samples.count, by: stride) {
            let end = min(start + stride, samples.count)
            let column = samples[start..<end]
            // The average of 0.1 s.
            let around = samples[max(0, start - 2)..<min(samples.count, end + 2)]
            let killed = column.last?.killed ?? 0
            points.append(
                Point(
                    time: samples[start].seconds,
                    total: Double(column.map(\.total).max() ?? 0),
                    inUse: Double(around.map(\.inUse).reduce(0, +)) / Double(around.count),
                    waiting: Double(column.map(\.waiting).max() ?? 0),
                    throughput: timeline.throughput(over: .milliseconds(300), upTo: end - 1),
                    killed: killed - killedBefore
                )
            )
            killedBefore = killed
        }
        if let last = samples.last { points[points.count - 1].time = last.seconds }
        return points
    }
}
