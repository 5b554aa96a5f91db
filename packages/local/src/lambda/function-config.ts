import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { PolicyDocument } from '../iam/policy'
import { localAccount, localRegion } from '../service'

/** Who may invoke a function: one statement of its resource policy. */
export interface FunctionPermission {
  /** Name of the statement. Default: `deployed-1` and so on. */
  readonly statementId?: string
  /** A service such as `events.amazonaws.com`. */
  readonly principal: string
  /** ARN of what the service acts for, such as a rule; `*` and `?` are wildcards. Default: anything. */
  readonly sourceArn?: string
}

/** Options of `lambda.deploy`. */
export interface DeployOptions {
  /** 1 to 64 letters, digits, `-`, `_`. */
  readonly name: string
  /** The TypeScript or JavaScript file that exports the handler: a path (relative to the working directory) or a `file:` URL. */
  readonly entry: string | URL
  /** Name of the export. Default `handler`. */
  readonly handler?: string
  /** Environment variables of the function, in addition to those that Lambda sets. Nothing of this process's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>
  /** Longest run of one invocation, in real time. Default `'3 seconds'`, at most `'15 minutes'`, as on AWS. */
  readonly timeout?: Duration
  /** 128 to 10 240. Limits the heap of V8; resident memory is reported, not limited. Default 128. */
  readonly memoryMb?: number
  /** What the function may do. Default: nothing. */
  readonly policy?: PolicyDocument
  /** Which services may invoke it, as its resource policy says on AWS; the same as AddPermission. Default: none. */
  readonly permissions?: readonly FunctionPermission[]
  /** Further runs of an asynchronous invocation that failed, after one and after two more minutes. 0 to 2, default 2, as on AWS. */
  readonly asyncRetries?: number
  /** Packages that are not bundled but loaded at run time (native ones, such as DuckDB, never are). Default none. */
  readonly external?: readonly string[]
  /** How many invocations run at the same time; further ones wait. Default 8. */
  readonly maxInstances?: number
}

/** Resolved {@link DeployOptions}. */
export interface FunctionConfig {
  readonly name: string
  readonly arn: string
  readonly entry: string
  readonly handler: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly memoryMb: number
  readonly policy: PolicyDocument | undefined
  readonly permissions: readonly FunctionPermission[]
  readonly asyncRetries: number
  readonly external: readonly string[]
  readonly maxInstances: number
}

// What Lambda sets itself and refuses in a configuration, and the one that leads to this runtime.
const reserved = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

/** @throws ConfigError `PIPE_LOCAL_FUNCTION` (or `PIPE_CONFIG` for unknown options) naming the option and what it may be. */
export function resolveFunctionConfig(options: DeployOptions): FunctionConfig {
  checkOptions('lambda.deploy', options, {
    required: ['name', 'entry'],
    optional: ['handler', 'env', 'timeout', 'memoryMb', 'policy', 'permissions', 'asyncRetries', 'external', 'maxInstances'],
  })
  const {
    name,
    entry,
    handler = 'handler',
    env = {},
    timeout = '3 seconds',
    memoryMb = 128,
    asyncRetries = 2,
    maxInstances = 8,
  } = options
  const fail = (problem: string, hint: string) => {
    throw new ConfigError(`Function ${JSON.stringify(name)}: ${problem}`, { code: 'PIPE_LOCAL_FUNCTION', hint })
  }
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    fail('this is not the name of a function.', 'Use 1 to 64 letters, digits, hyphens and underscores.')
  }
  if (name === 'root') fail('"root" is the user that may do everything.', 'Choose another name.')
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(handler)) {
    fail(`the handler "${handler}" is not the name of an export.`, "Give the export alone ('handler'); the file is the entry.")
  }
  for (const [key, value] of Object.entries(env)) {
    if (reserved.has(key)) fail(`the environment variable ${key} is set by Lambda.`, 'Remove it from env.')
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key))
      fail(`"${key}" is not the name of an environment variable.`, 'Use letters, digits, _.')
    if (typeof value !== 'string')
      fail(`the environment variable ${key} is ${typeof value}, not a text.`, 'Write it as a string.')
  }
  const timeoutMs = durationMs(timeout)
  if (timeoutMs < 1 || timeoutMs > 900_000) fail(`the timeout is ${timeout}.`, "Lambda allows up to '15 minutes'.")
  if (!Number.isInteger(memoryMb) || memoryMb < 128 || memoryMb > 10_240) {
    fail(`memoryMb is ${memoryMb}.`, 'Lambda allows whole numbers from 128 to 10240.')
  }
  if (![0, 1, 2].includes(asyncRetries)) fail(`asyncRetries is ${asyncRetries}.`, 'Lambda allows 0, 1 or 2.')
  if (!Number.isInteger(maxInstances) || maxInstances < 1) fail(`maxInstances is ${maxInstances}.`, 'Use a whole number above 0.')
  return {
    name,
    arn: functionArn(name),
    entry: entry instanceof URL || entry.startsWith('file:') ? fileURLToPath(entry) : resolve(entry),
    handler,
    env: { ...env },
    timeoutMs,
    memoryMb,
    policy: options.policy,
    permissions: options.permissions ?? [],
    asyncRetries,
    external: [...(options.external ?? [])],
    maxInstances,
  }
}

/** `arn:aws:lambda:us-east-1:000000000000:function:NAME` */
export function functionArn(name: string): string {
  return `arn:aws:lambda:${localRegion}:${localAccount}:function:${name}`
}

/** Everything that stands in `process.env` of a function: nothing is inherited. */
export function functionEnv(
  config: FunctionConfig,
  runtime: {
    readonly endpoint: string
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string }
    readonly logStream: string
    readonly taskRoot: string
  },
): Record<string, string> {
  return {
    ...config.env,
    _HANDLER: `index.${config.handler}`,
    AWS_ACCESS_KEY_ID: runtime.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: runtime.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: runtime.credentials.sessionToken,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    AWS_ENDPOINT_URL: runtime.endpoint,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x',
    AWS_LAMBDA_FUNCTION_NAME: config.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: runtime.logStream,
    LAMBDA_TASK_ROOT: runtime.taskRoot,
    // A home without ~/.aws: the developer's own profile must not reach a function.
    HOME: runtime.taskRoot,
    LANG: 'en_US.UTF-8',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    TZ: ':UTC',
    // Windows cannot open a socket without it.
    ...(process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] ?? 'C:\\Windows' } : {}),
  }
}
