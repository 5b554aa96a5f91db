// The parts of the SDK that the handler beside this file uses, and nothing else.
import { DescribeEventBusCommand, EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'

const client = new EventBridgeClient({})

export const handler = async () => {
  await client.send(new DescribeEventBusCommand({ Name: 'orders' }))
  await client.send(new PutEventsCommand({ Entries: [] }))
}
