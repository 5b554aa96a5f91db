import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AthenaClient } from '@aws-sdk/client-athena'

type Cell = string | null

/** What the fake answers to one statement. */
export interface Script {
  /** One state a look; the last one stays. Default RUNNING, SUCCEEDED. */
  readonly states?: readonly string[]
  readonly statementType?: string
  readonly substatementType?: string
  readonly columns?: readonly {
    readonly name: string
    readonly type: string
    readonly precision?: number
    readonly scale?: number
  }[]
  /** As Athena sends them: with the header row where there is one. */
  readonly rows?: readonly (readonly Cell[])[]
  readonly reason?: string
  readonly error?: { readonly ErrorCategory: number; readonly ErrorType: number; readonly Retryable?: boolean }
  readonly updateCount?: number
  readonly scannedBytes?: number
}

interface FakeExecution {
  readonly id: string
  readonly input: Record<string, unknown>
  readonly script: Script
  looks: number
  stopped: boolean
}

/** What to do instead of answering a call: an error, a lost reply (the call has happened), a broken connection, or a pause before the answer. */
export type Fault =
  | { readonly kind: 'error'; readonly status?: number; readonly type: string; readonly fields?: Record<string, unknown> }
  | { readonly kind: 'lost-reply' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'slow'; readonly ms: number }

/** Athena's wire protocol with answers told beforehand. */
export interface FakeAthena {
  readonly client: AthenaClient
  /** Every call, in order. */
  readonly calls: { readonly action: string; readonly input: Record<string, unknown>; readonly at: number }[]
  readonly executions: readonly FakeExecution[]
  /** Answers to the statement, by the first pattern that matches. */
  when(pattern: RegExp, script: Script): void
  /** The next calls of the action meet these faults, one each. */
  fault(action: string, ...faults: readonly Fault[]): void
  workgroup: Record<string, unknown>
  count(action: string): number
  close(): Promise<void>
}

/** Starts it on a free port of the loopback. `sdkAttempts`: tries of the SDK itself. */
export async function startFakeAthena(options: { readonly sdkAttempts?: number } = {}): Promise<FakeAthena> {
  const scripts: { pattern: RegExp; script: Script }[] = []
  const faults = new Map<string, Fault[]>()
  const executions: FakeExecution[] = []
  const calls: FakeAthena['calls'] = []

  const server = createServer((request, response) => {
    void serve(request, response)
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    calls.push({ action, input, at: Date.now() })
    const fault = faults.get(action)?.shift()
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    if (fault?.kind === 'reset') {
      request.socket.destroy()
      return
    }
    if (fault?.kind === 'error') {
      send(response, fault.status ?? 400, { __type: fault.type, message: fault.type, ...fault.fields })
      return
    }
    try {
      const answer = actions[action]?.(input)
      if (fault?.kind === 'lost-reply') {
        request.socket.destroy()
        return
      }
      if (answer === undefined) throw invalid(`The fake knows no ${action}.`)
      send(response, 200, answer)
    } catch (error) {
      send(response, 400, {
        __type: 'InvalidRequestException',
        message: (error as Error).message,
        ...(error as { fields?: object }).fields,
      })
    }
  }

  const find = (id: unknown) => {
    const execution = executions.find((one) => one.id === id)
    if (!execution) throw invalid(`QueryExecution ${String(id)} was not found`)
    return execution
  }

  const actions: Record<string, (input: Record<string, unknown>) => object> = {
    StartQueryExecution: (input) => {
      const same = executions.find((one) => one.input['ClientRequestToken'] === input['ClientRequestToken'])
      if (same) {
        if (JSON.stringify(same.input) !== JSON.stringify(input)) throw invalid('Idempotent parameters do not match')
        return { QueryExecutionId: same.id }
      }
      const text = String(input['QueryString'])
      const script = scripts.find(({ pattern }) => pattern.test(text))?.script ?? {}
      const id = `00000000-0000-4000-8000-${String(executions.length).padStart(12, '0')}`
      executions.push({ id, input, script, looks: 0, stopped: false })
      return { QueryExecutionId: id }
    },
    BatchGetQueryExecution: (input) => {
      const ids = input['QueryExecutionIds'] as string[]
      if (ids.length === 0 || ids.length > 50) throw invalid('QueryExecutionIds must hold 1 to 50 ids')
      return { QueryExecutions: ids.map((id) => describe(find(id))), UnprocessedQueryExecutionIds: [] }
    },
    StopQueryExecution: (input) => {
      find(input['QueryExecutionId']).stopped = true
      return {}
    },
    GetQueryResults: (input) => page(find(input['QueryExecutionId']), input),
    GetWorkGroup: () => ({ WorkGroup: { Name: 'primary', Configuration: fake.workgroup } }),
  }

  const fake: FakeAthena = {
    client: undefined as unknown as AthenaClient,
    calls,
    executions,
    workgroup: {},
    when: (pattern, script) => void scripts.unshift({ pattern, script }),
    fault: (action, ...more) => void faults.set(action, [...(faults.get(action) ?? []), ...more]),
    count: (action) => calls.filter((call) => call.action === action).length,
    close: async () => {
      fake.client.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new AthenaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    maxAttempts: options.sdkAttempts ?? 1,
  })
  return Object.assign(fake, { client })
}

function describe(execution: FakeExecution): object {
  const { script, input } = execution
  const states = script.states ?? ['RUNNING', 'SUCCEEDED']
  const state = execution.stopped ? 'CANCELLED' : (states[Math.min(execution.looks, states.length - 1)] as string)
  execution.looks += 1
  return {
    QueryExecutionId: execution.id,
    Query: input['QueryString'],
    StatementType: script.statementType ?? 'DML',
    ...(script.substatementType === undefined ? {} : { SubstatementType: script.substatementType }),
    ResultConfiguration: input['ResultConfiguration'] ?? {},
    Status: {
      State: state,
      SubmissionDateTime: 1_764_000_000,
      ...(state === 'SUCCEEDED' ? { CompletionDateTime: 1_764_000_002.5 } : {}),
      ...(state === 'FAILED' ? { StateChangeReason: script.reason, AthenaError: script.error } : {}),
      ...(state === 'CANCELLED' ? { StateChangeReason: script.reason ?? 'Query cancelled by user' } : {}),
    },
    Statistics: { DataScannedInBytes: script.scannedBytes ?? 0, QueryQueueTimeInMillis: 7, TotalExecutionTimeInMillis: 2500 },
  }
}

function page({ script, stopped }: FakeExecution, input: Record<string, unknown>): object {
  if (stopped) throw invalid('Query did not finish successfully')
  const start = Number(input['NextToken'] ?? '0')
  const end = start + Number(input['MaxResults'] ?? 1000)
  const rows = script.rows ?? []
  return {
    UpdateCount: script.updateCount ?? 0,
    ...(end < rows.length ? { NextToken: String(end) } : {}),
    ResultSet: {
      Rows: rows.slice(start, end).map((cells) => ({ Data: cells.map((cell) => (cell === null ? {} : { VarCharValue: cell })) })),
      ResultSetMetadata: {
        ColumnInfo: (script.columns ?? []).map(({ name, type, precision = 0, scale = 0 }) => ({
          Name: name,
          Label: name,
          Type: type,
          Precision: precision,
          Scale: scale,
        })),
      },
    },
  }
}

function invalid(message: string): Error {
  return Object.assign(new Error(message), { fields: { AthenaErrorCode: 'INVALID_INPUT' } })
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
  response.end(JSON.stringify(body))
}
