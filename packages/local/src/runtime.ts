import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { createAthenaControls, type LocalAthena } from './athena/controls'
import { type RealClock, type RuntimeClock, realClock } from './clock'
import { createDelivery } from './eventbridge/delivery'
import { createFailureList, type EventFailure } from './eventbridge/failures'
import { createEventBridgeService } from './eventbridge/service'
import { createEventCounter, type EventTotals } from './eventbridge/totals'
import { type AuthorizedCall, createAuthorizer } from './iam/authorizer'
import { createCredentials, type LocalCredentials } from './iam/credentials'
import type { PolicyDocument } from './iam/policy'
import { recordCalls } from './iam/recording'
import type { KafkaOptions, LocalKafka } from './kafka/cluster'
import { startKafka } from './kafka/start-kafka'
import { createAsyncInvoker } from './lambda/async-invoker'
import { createEventSourceMappings } from './lambda/event-source-mappings'
import { createFunctionPolicies } from './lambda/function-policy'
import { createLambdaHost, type LambdaHost } from './lambda/host'
import { createLambdaService } from './lambda/service'
import { lazyService } from './lazy-service'
import type { NotificationSinks } from './s3/notifier'
import { createS3Service } from './s3/service'
import { createNotificationSinks } from './s3-notification-sinks'
import { AwsError, localAccount, localRegion, type Service } from './service'
import { sendTo } from './sqs/operations'
import { createQueues } from './sqs/queues'
import { createSqsService } from './sqs/service'
import { createEndpoint } from './wire'

/** Options of {@link startLocal}. */
export interface StartLocalOptions<ClockOfRuntime extends RuntimeClock = RuntimeClock> {
  /** Default {@link realClock}. A clock belongs to one runtime, which closes it. */
  readonly clock?: ClockOfRuntime
  /** Where everything is kept; opened again, it holds buckets, tables and rules. Default: a temporary folder that `close` removes. */
  readonly dir?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** `enforce` (default) refuses functions what their policy does not allow; `off` only records. Root may do everything. */
  readonly iam?: 'enforce' | 'off'
  /** Kafka brokers beside it, such as `{ brokers: 3 }`; see `local.kafka`. Default: none. */
  readonly kafka?: KafkaOptions
  /** Told of every failure of an asynchronous invocation, as it happens; they also stand in `events.failures`. */
  readonly onFailure?: (failure: EventFailure) => void
}

/** What every AWS SDK client takes: `new S3Client(local.aws)`. */
export interface LocalAws {
  readonly endpoint: string
  readonly region: string
  readonly credentials: LocalCredentials
  readonly forcePathStyle: true
}

/** A running local AWS. */
export interface Local<ClockOfRuntime extends RuntimeClock = RuntimeClock> {
  /** `http://127.0.0.1:PORT`: one endpoint for all services. */
  readonly url: string
  /** Options for SDK clients, with the credentials of root. */
  readonly aws: LocalAws
  /** The same as environment variables, for other processes. */
  readonly env: Readonly<Record<'AWS_ENDPOINT_URL' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>>
  readonly clock: ClockOfRuntime
  /** Faults and quotas of Athena, to see what a client makes of them. */
  readonly athena: LocalAthena
  readonly lambda: Omit<LambdaHost, 'close'>
  readonly events: {
    /** Failed asynchronous invocations (rules, Invoke with type Event), oldest first; the last 10 000. */
    readonly failures: readonly EventFailure[]
    /** What became of events so far. */
    totals(): EventTotals
    /**
     * Takes a target down: EventBridge cannot reach the function or queue of this ARN, and tries again as the target's retry policy says, until the
     * function that is returned is called.
     */
    takeDown(targetArn: string): () => void
  }
  readonly iam: {
    /** Every different call that was authorised so far, allowed or not. */
    calls(): readonly AuthorizedCall[]
    /**
     * Gives a role its policy, for what S3 does in its name: replication. `role` is the name, the part of its ARN behind `role/`. A role without a policy may
     * do nothing.
     *
     * @throws ConfigError `PIPE_IAM_POLICY` with the path of the mistake.
     */
    setRolePolicy(role: string, policy: object): void
  }
  /**
   * Options for SDK clients of the root user of another account, which has its own buckets; what others may do with them stands in their policies.
   *
   * @throws ConfigError `PIPE_CONFIG` for what is no account of 12 digits.
   */
  account(id: string): LocalAws
  /** The Kafka brokers. @throws PipeError `PIPE_LOCAL_KAFKA_OFF` when the runtime was started without `kafka`. */
  readonly kafka: LocalKafka
  /** The folder in use, absolute. */
  readonly dir: string
  /** Ends functions, answers what is under way (five seconds at most), closes the clock and removes a temporary folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts S3, Athena, Lambda, EventBridge and SQS on one port of the loopback interface, and, with `kafka`, Kafka brokers beside it.
 *
 * @throws ConfigError `PIPE_CONFIG` for unknown options, `PIPE_LOCAL_DIR`; PipeError `PIPE_LOCAL_PORT_IN_USE`, `PIPE_LOCAL_DIR_IN_USE`, `PIPE_LOCAL_S3_INDEX`, `PIPE_LOCAL_RULES`.
 * @example
 * ```ts
 * const local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
 * const s3 = new S3Client(local.aws)
 * await local.clock.advance('1 hour')
 * await local.close()
 * ```
 */
export async function startLocal<ClockOfRuntime extends RuntimeClock = RealClock>(
  options: StartLocalOptions<ClockOfRuntime> = {},
): Promise<Local<ClockOfRuntime>> {
  checkOptions('startLocal', options, { optional: ['clock', 'dir', 'port', 'iam', 'kafka', 'onFailure'] })
  const { port = 0, iam = 'enforce', onFailure = () => {} } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new ConfigError(`startLocal: port is ${port}, not 0 to 65535.`)
  const clock = options.clock ?? (realClock() as RuntimeClock as ClockOfRuntime)
  const authorizer = createAuthorizer({ mode: iam, now: () => clock.now() })
  const credentials = createCredentials()
  const folder = openFolder(options.dir)
  const failures = createFailureList(onFailure)

  // What was opened, in order; closed in reverse, also when the start fails half-way.
  const closers: (() => unknown)[] = [() => recordCalls(authorizer), () => folder.remove(), () => clock.close()]
  const closeAll = async () => {
    const errors: unknown[] = []
    for (const close of closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Closing the local runtime failed.')
  }

  try {
    const kafka =
      options.kafka &&
      (await startKafka({ ...options.kafka, clock, ...(options.dir === undefined ? {} : { dir: join(folder.dir, 'kafka') }) }))
    if (kafka) closers.push(() => kafka.close())
    let url = ''
    // Bound below: what S3 tells its targets needs the services that stand behind it.
    let notifications: NotificationSinks | undefined
    const s3 = await createS3Service({
      dir: join(folder.dir, 's3'),
      clock,
      authorizer,
      notifications: {
        problemOf: (arn, bucket) => notifications?.problemOf(arn, bucket),
        send: (arn, event, bucket) => notifications?.send(arn, event, bucket),
        publish: (event) => notifications?.publish(event),
        onFailure: (message, arn) => notifications?.onFailure(message, arn),
      },
    })
    closers.push(() => s3.close())
    const athenaControls = createAthenaControls(() => clock.now())
    const athena = lazyService(
      'athena',
      (call) => String(call.request.headers['x-amz-target']).startsWith('AmazonAthena.'),
      async () => {
        const { createAthenaService } = await import('./athena/service')
        return createAthenaService({
          dir: join(folder.dir, 'athena'),
          clock,
          authorizer,
          files: s3.files,
          controls: athenaControls,
        })
      },
    )
    closers.push(() => athena.close?.())
    const policies = createFunctionPolicies()
    const host = createLambdaHost({
      clock,
      endpoint: () => url,
      issueCredentials: (name) => credentials.issue(name),
      setInvocation({ name, permissions, asyncRetries }) {
        policies.declare(name, permissions)
        asyncInvoker.configure(name, { ...asyncInvoker.configOf(name), retries: asyncRetries })
      },
      setPolicy: (name, policy) => (policy === undefined ? authorizer.removePolicy(name) : authorizer.setPolicy(name, policy)),
      bundleDir: join(folder.dir, 'lambda'),
    })
    const counter = createEventCounter()
    const queues = createQueues(clock)
    closers.push(() => queues.close())
    const sendToQueue = (arn: string, text: string, functionName: string) => {
      authorizer.authorize({ name: functionName, accessKeyId: '', secretAccessKey: '' }, 'sqs:SendMessage', arn)
      const queue = queues.find(arn)
      if (!queue) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.')
      sendTo(queue, { MessageBody: text }, functionName)
    }
    const asyncInvoker = createAsyncInvoker({
      clock,
      invoke: (name, event) => host.invoke(name, event),
      sendToQueue,
      onFailure: (failure) => failures.add(failure),
      count: (what) => counter.count(what),
    })
    const mappings = createEventSourceMappings({
      clock,
      queues,
      authorizer,
      kafkaBrokers: () => kafka?.brokers,
      functionOf: (name) => host.get(name),
      invoke: (name, event) => host.invoke(name, event),
      sendToQueue,
      onFailure: (failure) => failures.add(failure),
      count: (what) => counter.count(what),
    })
    const lambda = createLambdaService({ host, authorizer, asyncInvoker, policies, mappings })
    const delivery = createDelivery({
      clock,
      queues,
      asyncInvoker,
      counter,
      enforces: iam === 'enforce',
      hasFunction: (name) => host.get(name) !== undefined,
      mayInvoke: (name, sourceArn) => policies.allows(name, { service: 'events.amazonaws.com', sourceArn }),
      onFailure: (failure) => failures.add(failure),
    })
    const events = createEventBridgeService({ dir: join(folder.dir, 'eventbridge'), clock, authorizer, delivery, counter })
    notifications = createNotificationSinks({
      queues,
      policies,
      asyncInvoker,
      enforces: iam === 'enforce',
      hasFunction: (name) => host.get(name) !== undefined,
      publish: events.publish,
      now: () => clock.now(),
      onFailure: (failure) => failures.add(failure),
    })
    const sqs = createSqsService({ queues, clock, authorizer, endpoint: () => url })
    const services: readonly Service[] = [events, lambda, athena, sqs, s3]
    const endpoint = await createEndpoint({
      port,
      services,
      principalOf: (accessKeyId) => credentials.principalOf(accessKeyId),
      now: () => clock.now(),
    })
    url = endpoint.url
    closers.push(
      () => endpoint.close(),
      () => host.close(),
      // First of all: nothing new fires, and who waits for messages is answered.
      () => mappings.close(),
      () => sqs.close?.(),
      () => events.close?.(),
    )
    const { root } = credentials
    const aws: LocalAws = { endpoint: url, region: localRegion, credentials: root, forcePathStyle: true }
    let closed: Promise<void> | undefined
    const close = () => {
      closed ??= closeAll()
      return closed
    }
    return {
      url,
      aws,
      env: {
        AWS_ENDPOINT_URL: url,
        AWS_REGION: localRegion,
        AWS_ACCESS_KEY_ID: root.accessKeyId,
        AWS_SECRET_ACCESS_KEY: root.secretAccessKey,
      },
      clock,
      athena: { fault: athenaControls.fault, setQuotas: athenaControls.setQuotas, clear: athenaControls.clear },
      lambda: {
        deploy: host.deploy,
        invoke: host.invoke,
        logs: host.logs,
        get: host.get,
        list: host.list,
      },
      events: {
        get failures() {
          return failures.all()
        },
        totals: counter.totals,
        takeDown: delivery.takeDown,
      },
      iam: {
        calls: () => authorizer.calls(),
        setRolePolicy: (role, policy) => authorizer.setPolicy(role, policy as PolicyDocument),
      },
      account(id) {
        if (!/^\d{12}$/.test(id)) throw new ConfigError(`local.account: "${id}" is no account of 12 digits.`)
        if (id === localAccount) return aws
        return { ...aws, credentials: credentials.accountRoot(id) }
      },
      get kafka() {
        if (kafka) return kafka
        const hint = 'startLocal({ kafka: { brokers: 3 } }), or npx @pipe/local --kafka 3.'
        throw new PipeError('PIPE_LOCAL_KAFKA_OFF', 'This runtime was started without Kafka.', { hint })
      },
      dir: folder.dir,
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** The folder given, or a temporary one that goes with the runtime, at the latest with the process. */
function openFolder(given: string | undefined): { readonly dir: string; remove(): void } {
  if (given !== undefined) {
    if (given === '') throw new ConfigError('startLocal: dir is empty.')
    const dir = resolve(given)
    try {
      mkdirSync(dir, { recursive: true })
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code
      const hint = 'Give a folder that this user may write to; it is made when it does not exist.'
      throw new ConfigError(`The folder ${dir} cannot be made (${code}).`, { code: 'PIPE_LOCAL_DIR', hint, cause })
    }
    return { dir, remove: () => {} }
  }
  const dir = mkdtempSync(join(tmpdir(), 'pipe-local-'))
  const remove = () => {
    process.removeListener('exit', remove)
    rmSync(dir, { recursive: true, force: true })
  }
  process.once('exit', remove)
  return { dir, remove }
}
