import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@pipe/athena-query'
import { ConfigError, PipeError, type S3Location, windowLengthMs, windowOf } from '@pipe/core'
import { type Local, startLocal, type VirtualClock, virtualClock } from '@pipe/local'
import { groundTruth, type LogSource } from '@pipe/log-gen'
import { dayCatchUp, dayLog } from './day-log'
import { compareExactly } from './day-report'
import { type Deployment, deploy, setRule } from './deploy'
import { deviceLog } from './log'
import { places } from './places'
import type { Progress } from './progress'
import { recordedSeries } from './recorded-series'
import { examine, type Findings } from './report'
import type { Sabotage } from './sabotage'
import { type Stream, type StreamLag, startStream } from './stream'
import { examineStream } from './stream-report'
import type { deviceLogs } from './table'
import { dayTriggers, withTriggerFaults } from './trigger-faults'

/** What one run on the virtual clock is made of. */
export interface Run extends Deployment {
  /** Whether the devices also write to Kafka. Default no. */
  readonly kafka?: boolean | undefined
  /** Ends the hour, or the day, earlier. */
  readonly until?: Date | undefined
  readonly sabotage?: Sabotage | undefined
  readonly progress: Progress
  readonly signal?: AbortSignal | undefined
  /** Called when everything has been examined and the runtime is still up: for questions of one's own. */
  readonly afterwards?: ((clients: Clients, findings: Findings) => Promise<void>) | undefined
}

export interface Clients {
  readonly s3: S3Client
  readonly athena: ReturnType<typeof createAthena>
}

/** Half-open span of the files of a run. */
interface Span {
  readonly from: Date
  readonly to: Date
}

/** Plays the pipeline on a virtual clock to the end and examines what it left. */
export async function play(run: Run): Promise<Findings> {
  const startedAt = Date.now()
  const { source, span, writtenFrom = span.from } = materialOf(run)
  const written = { from: writtenFrom, to: span.to }
  run.progress.update('starting the runtime')
  const clock = virtualClock(span.from.toISOString())
  await using local = await startLocal({ clock, ...(run.kafka && { kafka: { brokers: 3 } }) })
  const s3 = new S3Client(local.aws)
  const results: S3Location = `s3://${places.bucket}/${places.results}`
  const client = new AthenaClient(local.aws)
  const athena = createAthena({ database: places.database, output: results, client, poll: ['5 ms', '250 ms'] })
  const clients = { s3, athena }
  try {
    await deploy(local, clients, run)
    await using stream = run.kafka ? await startStream(local.kafka.brokers, s3, source) : undefined
    const lag = await advanceThrough(local, clients, run, span, stream)
    if (stream) run.progress.update('waiting for the readers of the stream')
    const streamed = await stream?.finish()
    if (run.sabotage?.when === 'end') run.progress.end(`sabotage: ${await run.sabotage.strike(clients)}`)
    run.progress.update('reading everything back through Athena')
    const examined = await examine(clients, source, { ...written, window: run.window, startedAt })
    const { broken, report } = examined
    const exact = run.fleet === 'day' ? await compareExactly(clients, groundTruth(source, written)) : []
    const kafka = streamed && (await examineStream(clients, source, { ...span, tickMs: windowLengthMs(run.tick) }, streamed))
    const findings = {
      ...examined,
      lag,
      report: kafka ? { ...report, kafka: kafka.report } : report,
      broken: [...broken, ...exact, ...(kafka?.broken ?? [])],
    }
    run.progress.end()
    await run.afterwards?.(clients, findings)
    return findings
  } finally {
    await athena.close()
    client.destroy()
    s3.destroy()
  }
}

interface Material {
  readonly source: LogSource<typeof deviceLogs.columns>
  readonly span: Span
  /** Start of the first file that is written, when that lies before the span. */
  readonly writtenFrom?: Date
}

const generatedHour: Material = {
  source: deviceLog,
  span: { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T16:00:00Z') },
}

const midnight = new Date('2026-11-24T00:00:00Z')
const nextMidnight = new Date('2026-11-25T00:00:00Z')

function materialOf(run: Run): Material {
  if (run.input !== undefined) return recorded(run.input, run)
  if (run.fleet === 'day') {
    // The first tick makes up for those before it, as it cannot know that nobody was there yet.
    const writtenFrom = new Date(midnight.getTime() - (dayCatchUp - 1) * windowLengthMs(run.tick))
    return { source: dayLog, span: { from: midnight, to: run.until ?? nextMidnight }, writtenFrom }
  }
  return { ...generatedHour, span: { ...generatedHour.span, to: run.until ?? generatedHour.span.to } }
}

/** Recorded data, and whole windows around it. */
function recorded(input: string, { tick, window }: Run): Material {
  const source = recordedSeries(input, { tick, window })
  const span = source.span()
  if (!span) throw new ConfigError(`--input ${input} holds no rows.`)
  return { source, span: { from: windowOf(window, span.from).start, to: windowOf(window, span.to.getTime() - 1).end } }
}

/**
 * Lets the devices write until the end of the span, silences them, and goes on until the last window has been compacted. Gives how far the
 * readers of the stream were behind after each tick.
 */
async function advanceThrough(
  local: Local<VirtualClock>,
  clients: Clients,
  run: Run,
  { from, to }: Span,
  stream: Stream | undefined,
): Promise<StreamLag[]> {
  const lag: StreamLag[] = []
  const tickMs = windowLengthMs(run.tick)
  const ticks = (to.getTime() - from.getTime()) / tickMs
  for (let tick = 1; tick <= ticks; tick++) {
    const at = new Date(from.getTime() + tick * tickMs)
    const triggers = run.fleet === 'day' && tick < ticks ? dayTriggers : undefined
    await withTriggerFaults(local, triggers, { number: tick, at }, () => step(local, at, run))
    await stream?.produce(at)
    if (stream) lag.push(lagOf(stream, at))
    run.progress.update(`tick ${tick}/${ticks}: ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC${told(stream)}`)
    const { sabotage } = run
    if (sabotage && sabotage.when !== 'end' && sabotage.when.minute === tick) {
      run.progress.end(`sabotage: ${await sabotage.strike(clients)}`)
    }
  }
  await setRule(local, 'log-generator', 'off')
  // The last window has to wait for its grace; the next tick of the compactor finds it.
  await step(local, new Date(to.getTime() + windowLengthMs(run.window)), run)
  return lag
}

function lagOf(stream: Stream, at: Date): StreamLag {
  const { produced, consumed, sunk } = stream.counts()
  return { at, consumer: produced - consumed, sink: produced - sunk }
}

function told(stream: Stream | undefined): string {
  if (!stream) return ''
  const { produced, consumed, sunk } = stream.counts()
  return `; Kafka: ${produced} produced, lag ${produced - consumed}, ${sunk} in S3`
}

/** Moves the clock and fails as soon as a function has failed. */
async function step(local: Local<VirtualClock>, to: Date, { signal }: Run): Promise<void> {
  await local.clock.advanceTo(to, signal ? { signal } : {})
  const failure = local.events.failures[0]
  if (failure) {
    throw new PipeError(
      'EXAMPLE_FUNCTION_FAILED',
      `${failure.functionName} failed at ${failure.at.toISOString()}: ${failure.message}`,
      {
        details: failure,
      },
    )
  }
}
