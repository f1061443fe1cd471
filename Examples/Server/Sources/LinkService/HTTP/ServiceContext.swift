import Foundation
import Hummingbird

/// What accompanies a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }

    /// A link and what stands around it are short.
    var maxUploadSize: Int { 16 * 1024 }

    var requestDecoder: LinkRequestDecoder { LinkRequestDecoder() }

    var responseEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}

/// Reads a body as what its sender says it is: JSON or a form.
struct LinkRequestDecoder: RequestDecoder {
    func decode<T: Decodable>(_ type: T.Type, from request: Request, context: some RequestContext) async throws -> T {
        let mediaType = request.headers[.contentType]
            .flatMap { $0.split(separator: ";").first }
            .map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        switch mediaType {
        case "application/json":
            return try await JSONDecoder().decode(type, from: request, context: context)
        case "application/x-www-form-urlencoded":
            return try await URLEncodedFormDecoder().decode(type, from: request, context: context)
        default:
            throw Problem(.unsupportedMediaType, "send application/json or application/x-www-form-urlencoded")
        }
    }
}
