#if canImport(Darwin)
    public import Darwin
#elseif canImport(Musl)
    public import Musl
#else
    public import Glibc
#endif
import Synchronization

/// A small number for each thread, the same in each call from it, given out in the order of first calls.
///
/// Swift has no thread-local variables, so it is kept with `pthread_getspecific`. A hash of `pthread_self()` needs a call
/// of the same cost (3 ns each, measured on x86-64 Linux) and lets threads collide by chance: two threads in four stripes
/// share one in a quarter of all runs, and then bounce its cache line. Numbers in order never do that to the first
/// threads of a process. The core in C goes by CPU instead, which two threads never share at the same time; what the
/// kernel tells of that cannot be read from Swift.
@usableFromInline
struct ThreadNumber: Sendable {
    @usableFromInline let key: pthread_key_t

    /// One key serves all pools of the process; `nil` if the system had none left.
    static let shared: ThreadNumber? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? ThreadNumber(key: key) : nil
    }()

    init(key: pthread_key_t) {
        self.key = key
    }

    @inlinable @inline(__always)
    var current: UInt {
        let onePlusNumber = UInt(bitPattern: pthread_getspecific(key))
        return onePlusNumber != 0 ? onePlusNumber &- 1 : assign()
    }

    private static let given = Atomic<UInt>(0)

    @usableFromInline @inline(never)
    func assign() -> UInt {
        let number = Self.given.wrappingAdd(1, ordering: .relaxed).oldValue
        // Should this fail, the thread asks for another number next time, and all is still correct.
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: number &+ 1))
        return number
    }
}
