import { initProducerId } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { type ServedApi, serve } from '../wire/served-api'

/** InitProducerId: a new id for an idempotent producer. */
export const initProducerIdApi: ServedApi = serve(initProducerId, (request, { broker, refusal }) => {
  const none = { throttleTimeMs: 0, producerId: -1n, producerEpoch: -1 }
  const refused = refusal()
  if (refused !== 0) return { ...none, errorCode: refused }
  if (request.transactionalId !== null) return { ...none, errorCode: errorCode.invalidRequest }
  return { ...none, errorCode: errorCode.none, producerId: broker.host.nextProducerId(), producerEpoch: 0 }
})
