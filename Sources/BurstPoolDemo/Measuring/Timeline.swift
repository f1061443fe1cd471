// SPDX-License-Identifier: Apache-2.0

/// The samples of a run.
struct Timeline: Sendable {
    private(set) var samples: [Sample] = []

    mutating func append(_ sample: Sample) {
        samples.append(sample)
    }

    /// Returns the number of commands a second in the time before a sample.
    func throughput(over span: Duration = .milliseconds(500), upTo index: Int? = nil) -> Double {
        let end = index ?? samples.count - 1
        guard samples.indices.contains(end) else { return 0 }
        var first = end
        while first > 0, samples[end].time - samples[first].time < span { first -= 1 }
        let seconds = (samples[end].time - samples[first].time) / .seconds(1)
        return seconds > 0 ? Double(samples[end].commands - samples[first].commands) / seconds : 0
    }

    /// Returns how long there were more connections than `maxSize`. A sample stands for the time until the next one.
    func timeBursting(maxSize: Int) -> Duration {
        zip(samples, samples.dropFirst()).reduce(.zero) { sum, pair in
            pair.0.total > maxSize ? sum + (pair.1.time - pair.0.time) : sum
        }
    }

    var peakTotal: Int { samples.map(\.total).max() ?? 0 }
    var peakWaiting: Int { samples.map(\.waiting).max() ?? 0 }
}
