import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { readEnv } from '@pipe/core'
import { userOf } from './user'

const { QUEUE_URL } = readEnv(['QUEUE_URL'])
const sqs = new SQSClient({})

/** Puts users into the queue, ten a request; what was refused for the moment is sent again. */
export const handler = async ({
  from,
  count,
}: {
  readonly from: number
  readonly count: number
}): Promise<{ readonly filled: number }> => {
  for (let start = from; start < from + count; start += 10) {
    const users = Array.from({ length: Math.min(10, from + count - start) }, (_, i) => userOf(start + i))
    let entries = users.map((user) => ({ Id: user.id, MessageBody: JSON.stringify(user) }))
    while (entries.length > 0) {
      const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries: entries }))
      const faulty = Failed.find(({ SenderFault }) => SenderFault)
      if (faulty) throw new Error(`${faulty.Id}: ${faulty.Message}`)
      entries = entries.filter(({ Id }) => Failed.some((failed) => failed.Id === Id))
    }
  }
  return { filled: count }
}
