import Testing

/// The program as a process. One test after the other, so that the load of one is not in the way of the next.
@Suite("The server", .serialized)
enum ServerTests {}
