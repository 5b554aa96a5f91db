import { PipeError } from './error'

/** Who may not do what on what. */
export interface DeniedDetails {
  /** Name of the user or role, or `the caller` when AWS does not say. */
  readonly principal: string
  /** `s3:PutObject`. */
  readonly action: string
  /** An ARN. */
  readonly resource: string
}

/** Whether AWS answered that a permission is missing. */
export function isAccessDenied(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, $metadata } = error as { name?: unknown; $metadata?: { httpStatusCode?: number } }
  return $metadata?.httpStatusCode === 403 || /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(String(name))
}

/**
 * The error `PIPE_IAM_DENIED` for a 403. Principal, action and resource come from AWS's text (`User: … is not authorized to perform: …
 * on resource: …`); an answer without a body (HEAD) has none, then those of the call are named.
 *
 * @param hint appended to the advice to grant the action.
 */
export function deniedError(
  cause: unknown,
  call: { readonly action: string; readonly resource: string },
  hint?: string | undefined,
): PipeError<DeniedDetails> {
  const text = cause instanceof Error ? cause.message : String(cause)
  const match = /User: (\S+) is not authorized to perform: ([\w-]+:\w+)(?: on resource: "?([^"\s]+)"?)?/.exec(text)
  const principal = match ? principalName(match[1]!) : 'the caller'
  const action = match?.[2] ?? call.action
  const resource = match?.[3] ?? call.resource
  const credentials = (cause as { name?: unknown })?.name
  // These 403s are no missing grant.
  const isCredential = /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|RequestTimeTooSkewed|InvalidToken)$/.test(
    String(credentials),
  )
  const advice = isCredential
    ? `AWS refused the credentials (${String(credentials)}): check them and the clock.`
    : `Grant ${action} on it in the policy of ${principal}.`
  const explicit = /explicit deny/i.test(text) ? ' A policy denies it explicitly; a grant alone does not help.' : ''
  return new PipeError('PIPE_IAM_DENIED', `${principal} may not ${action} on ${resource}.`, {
    hint: `${advice}${explicit}${hint === undefined ? '' : ` ${hint}`}`,
    cause,
    details: { principal, action, resource },
  })
}

/** `arn:aws:sts::1:assumed-role/log-generator/session` → `log-generator`; `arn:aws:iam::1:user/ops/anna` → `anna`. */
function principalName(arn: string): string {
  const match = /^arn:[\w-]+:(?:iam|sts)::\d*:([\w-]+)\/(.+)$/.exec(arn)
  if (!match) return arn
  const parts = match[2]!.split('/')
  return match[1] === 'assumed-role' || match[1] === 'federated-user' ? parts[0]! : parts.at(-1)!
}
