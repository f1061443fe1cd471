// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird

/// The context of a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }

    /// The body of a request contains only a link.
    var maxUploadSize: Int { 16 * 1024 }

    var requestDecoder: LinkRequestDecoder { LinkRequestDecoder() }

    var responseEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}

/// Decodes a body as JSON or as a form, depending on its content type.
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
            throw Problem(.unsupportedMediaType, "Send application/json or application/x-www-form-urlencoded.")
        }
    }
}
