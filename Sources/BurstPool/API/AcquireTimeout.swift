// SPDX-License-Identifier: Apache-2.0

/// How long a caller waits for a connection if none is idle.
public struct AcquireTimeout: Sendable, Hashable {
    @usableFromInline
    enum Kind: Sendable, Hashable {
        case configured
        case unlimited
        case after(Duration)
    }

    @usableFromInline let kind: Kind

    @inlinable
    init(_ kind: Kind) {
        self.kind = kind
    }

    /// As long as ``ConnectionPoolConfiguration/acquireTimeout`` says.
    @inlinable public static var configured: Self { Self(.configured) }

    /// Not at all: the caller gets an idle connection or an error at once. No connection is opened for it.
    @inlinable public static var immediate: Self { Self(.after(.zero)) }

    /// Until a connection is available, however long that takes.
    @inlinable public static var unlimited: Self { Self(.unlimited) }

    /// At most this long. A duration of zero or less is ``immediate``.
    @inlinable
    public static func after(_ duration: Duration) -> Self { Self(.after(duration)) }

    /// At most this many seconds.
    @inlinable
    public static func seconds(_ seconds: some BinaryInteger) -> Self { Self(.after(.seconds(seconds))) }

    /// At most this many seconds.
    @inlinable
    public static func seconds(_ seconds: Double) -> Self { Self(.after(.seconds(seconds))) }

    /// At most this many milliseconds.
    @inlinable
    public static func milliseconds(_ milliseconds: some BinaryInteger) -> Self {
        Self(.after(.milliseconds(milliseconds)))
    }

    /// At most this many milliseconds.
    @inlinable
    public static func milliseconds(_ milliseconds: Double) -> Self { Self(.after(.milliseconds(milliseconds))) }

    /// At most this many microseconds.
    @inlinable
    public static func microseconds(_ microseconds: some BinaryInteger) -> Self {
        Self(.after(.microseconds(microseconds)))
    }

    /// Returns the time to wait; `nil` means without limit.
    @usableFromInline
    func resolved(configured: Duration?) -> Duration? {
        switch kind {
        case .configured: configured
        case .unlimited: nil
        case .after(let duration): duration
        }
    }
}
