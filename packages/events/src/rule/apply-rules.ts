import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { ConfigError, PipeError } from '@pipe/core'
import { checkClient, checkOptions } from '@pipe/core/internal'
import type { RuleCall, RuleChange, RulePlan } from './plan-rules'

/** Options of {@link applyRules}. */
export interface ApplyRulesOptions {
  /** The client of the account and Region that the plan was made for. */
  readonly client: EventBridgeClient
  /** Needed when the plan adds permissions. */
  readonly lambda?: LambdaClient
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal
  /** Told how far the work is. */
  readonly onProgress?: (progress: {
    readonly phase: 'apply'
    readonly done: number
    readonly total: number
    readonly unit: 'changes'
  }) => void
}

/** What {@link applyRules} did. */
export interface AppliedRules {
  readonly applied: number
}

/**
 * Carries out a plan, change by change. What failed can be planned and applied again: each call may be repeated. Rights: `events:PutRule`,
 * `events:PutTargets`, `events:RemoveTargets`, `events:DeleteRule` on the owner's rules, `lambda:AddPermission` on the functions.
 *
 * @throws ConfigError `PIPE_CONFIG`; PipeError `PIPE_RULE_APPLY` with the change in `details`, and the client's error as the cause.
 * @example
 * ```ts
 * await applyRules(await planRules({ owner: 'shop', rules, client, lambda }), { client, lambda })
 * ```
 */
export async function applyRules(plan: RulePlan, options: ApplyRulesOptions): Promise<AppliedRules> {
  checkOptions('applyRules', options, { required: ['client'], optional: ['lambda', 'signal', 'onProgress'] })
  const { client, lambda, signal, onProgress } = options
  checkClient('applyRules', client)
  if (!lambda && plan.changes.some(({ action }) => action === 'permit')) {
    throw new ConfigError('applyRules: the plan adds permissions to functions.', { hint: 'Give a LambdaClient as "lambda".' })
  }
  let done = 0
  for (const change of plan.changes) {
    signal?.throwIfAborted()
    for (const call of change.calls) await make(call, change, client, lambda, signal)
    onProgress?.({ phase: 'apply', done: ++done, total: plan.changes.length, unit: 'changes' })
  }
  return { applied: plan.changes.length }
}

async function make(
  { operation, input }: RuleCall,
  { action, rule, bus }: RuleChange,
  client: EventBridgeClient,
  lambda: LambdaClient | undefined,
  abortSignal: AbortSignal | undefined,
): Promise<void> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new PipeError('PIPE_RULE_APPLY', `${action} ${bus}/${rule}: ${operation} failed: ${problem}`, {
      hint: 'Plan again: what was done before stays.',
      cause,
      details: { rule, bus, operation },
    })
  }
  const more = abortSignal ? { abortSignal } : {}
  try {
    if (operation === 'AddPermission') {
      const { AddPermissionCommand } = await import('@aws-sdk/client-lambda')
      await lambda!.send(new AddPermissionCommand(input as never), more)
      return
    }
    const command = await commandOf(operation, input)
    const answer = (await client.send(command as never, more)) as { FailedEntries?: readonly { ErrorMessage?: string }[] }
    const [failed] = answer.FailedEntries ?? []
    if (failed) fail(failed.ErrorMessage ?? 'an entry failed')
  } catch (error) {
    abortSignal?.throwIfAborted()
    if (PipeError.isInstance(error)) throw error
    fail((error as Error).message, error)
  }
}

async function commandOf(operation: Exclude<RuleCall['operation'], 'AddPermission'>, input: object): Promise<object> {
  const sdk = await import('@aws-sdk/client-eventbridge')
  switch (operation) {
    case 'PutRule':
      return new sdk.PutRuleCommand(input as never)
    case 'PutTargets':
      return new sdk.PutTargetsCommand(input as never)
    case 'RemoveTargets':
      return new sdk.RemoveTargetsCommand(input as never)
    case 'DeleteRule':
      return new sdk.DeleteRuleCommand(input as never)
  }
}
