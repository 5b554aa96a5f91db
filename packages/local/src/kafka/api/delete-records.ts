import { type DeleteRecordsPartition, type DeleteRecordsPartitionResult, deleteRecords } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'
import { leaderReplica } from './leader-replica'

/** DeleteRecords: moves the start of a log, at once on the leader; followers hear of it with their next fetch. */
export const deleteRecordsApi: ServedApi = serve(deleteRecords, (request, context) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((one) => deleteFrom(name, one, context)),
  })),
}))

function deleteFrom(
  topic: string,
  { partition, offset }: DeleteRecordsPartition,
  context: RequestContext,
): DeleteRecordsPartitionResult {
  const { broker, refusal } = context
  const fail = (code: number) => ({ partition, lowWatermark: -1n, errorCode: code })
  const refused = refusal({ topic, partition })
  if (refused !== 0) return fail(refused)
  const { replica, errorCode: code } = leaderReplica(broker, topic, partition)
  if (!replica) return fail(code)
  if (!broker.topicSettings(topic).text('cleanup.policy').includes('delete')) return fail(errorCode.policyViolation)
  const start = offset === -1n ? replica.highWatermark : Number(offset)
  if (start < 0 || start > replica.highWatermark) return fail(errorCode.offsetOutOfRange)
  replica.moveStart(start)
  return { partition, lowWatermark: BigInt(replica.log.startOffset), errorCode: errorCode.none }
}
