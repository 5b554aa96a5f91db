import { EventBridgeClient, PutRuleCommand } from '@aws-sdk/client-eventbridge'

const events = new EventBridgeClient({})

/** Makes a rule and returns its ARN. */
export const handler = async (event: { readonly rule: string }): Promise<unknown> => {
  const { RuleArn } = await events.send(
    new PutRuleCommand({ Name: event.rule, ScheduleExpression: 'rate(5 minutes)', State: 'DISABLED' }),
  )
  return RuleArn
}
