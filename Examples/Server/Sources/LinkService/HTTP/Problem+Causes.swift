import BurstPool
import BurstPoolRedis
import HTTPTypes
import Hummingbird
import NIOCore

extension Problem {
    /// What to answer when a request ends in an error.
    ///
    /// The client learns what it can do. What the error says goes to the log: it may name hosts and sizes.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem:
            self = problem
        case let error as ConnectionPoolError:
            self.init(pool: error)
        case let error as RedisError:
            self.init(redis: error)
        case is CancellationError:
            self = .unavailable("the service is stopping")
        case is NIOTooManyBytesError:
            self.init(.contentTooLarge, "the body is too long for a link")
        case let error as HTTPError:
            self.init(error.status, error.body ?? "there is nothing at this path for this method")
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase)
        default:
            self.init(.internalServerError, "something went wrong that is not your fault")
        }
    }

    private init(pool error: ConnectionPoolError) {
        switch error.code {
        case .acquireTimedOut where error.underlyingError != nil:
            self = .unavailable("the database cannot be reached")
        case .connectTimedOut, .circuitOpen:
            self = .unavailable("the database cannot be reached")
        case .acquireTimedOut, .tooManyWaiters, .overloaded, .outOfMemory:
            self = .unavailable("too much is going on")
        case .poolShutDown:
            self = .unavailable("the service is stopping")
        default:
            self.init(.internalServerError, "something went wrong that is not your fault")
        }
    }

    private init(redis error: RedisError) {
        if error.isOfAnOutage {
            let isThere = error.code == .serverError
            self = .unavailable(isThere ? "the database is not ready" : "the database cannot be reached")
        } else {
            self.init(.internalServerError, "something went wrong that is not your fault")
        }
    }
}
