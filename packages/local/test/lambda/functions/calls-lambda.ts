import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'

const lambda = new LambdaClient({})

/** Calls another function and returns its answer. */
export const handler = async (event: { readonly FunctionName: string; readonly payload: unknown }): Promise<unknown> => {
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: event.FunctionName, Payload: JSON.stringify(event.payload) }),
  )
  return JSON.parse(Payload!.transformToString())
}
