import Foundation

extension Process {
    /// Runs the program with no signal blocked.
    ///
    /// The threads that run tasks block nearly all signals, and on Linux a program inherits that from the thread that starts
    /// it: it would not hear SIGTERM, and a shell would wait for its children for ever.
    func runHearingSignals() throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}
