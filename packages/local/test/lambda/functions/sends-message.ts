import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

const client = new SQSClient({})

/** Sends a message to a queue, or receives one. */
export const handler = async (event: {
  readonly url: string
  readonly body?: string
  readonly receives?: boolean
}): Promise<unknown> => {
  if (event.receives) return client.send(new ReceiveMessageCommand({ QueueUrl: event.url }))
  const { MessageId } = await client.send(new SendMessageCommand({ QueueUrl: event.url, MessageBody: event.body }))
  return MessageId
}
