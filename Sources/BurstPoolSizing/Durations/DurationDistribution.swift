// SPDX-License-Identifier: Apache-2.0

/// How long something takes, as a random quantity.
public enum DurationDistribution: Sendable, Hashable {
    /// Always the same duration.
    case constant(Duration)
    /// Distributed exponentially: most are shorter than the mean, and 1 in 100 takes 4.6 times as long or longer.
    case exponential(mean: Duration)
    /// As often as recorded. Within a bucket of the histogram, all durations are equally likely.
    case recorded(DurationHistogram)

    /// The mean.
    public var mean: Duration {
        switch self {
        case .constant(let duration): duration
        case .exponential(let mean): mean
        case .recorded(let histogram): histogram.mean
        }
    }
}
