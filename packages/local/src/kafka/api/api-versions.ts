import { apiVersions, produce } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { type ServedApi, serve } from '../wire/served-api'

/**
 * ApiVersions: what `served` holds. Produce is listed from version 0, as Kafka 4 does although it takes 3 and later only: librdkafka switches its record batches
 * off otherwise (KAFKA-18659).
 */
export function apiVersionsApi(served: () => Iterable<ServedApi>): ServedApi {
  return serve(apiVersions, (_request, { refusal }) => ({
    errorCode: refusal() || errorCode.none,
    apiKeys: [...served()].map(({ api, minVersion, maxVersion }) => ({
      apiKey: api.key,
      minVersion: api.key === produce.key ? 0 : minVersion,
      maxVersion,
    })),
    throttleTimeMs: 0,
  }))
}
