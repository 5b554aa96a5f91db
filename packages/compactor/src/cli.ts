#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { AthenaClient } from '@aws-sdk/client-athena'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { ConfigError, PipeError } from '@pipe/core'
import type { Compactor } from './compactor'
import { collectGarbage } from './maintenance/collect-garbage'
import { doctor } from './maintenance/doctor'
import { repair } from './maintenance/repair'
import { drawProgress } from './progress-line'

/** What a configuration exports by name. */
interface Configuration {
  readonly compactor: Compactor
  /** For doctor, repair and collect-garbage. */
  readonly athena?: Athena | undefined
  readonly client?: S3Client | undefined
  readonly athenaClient?: AthenaClient | undefined
}

const usage = `pipe-compactor COMMAND --config FILE [options]

  plan      [--at TIME]                    what a run would do: files, bytes, requests, dollars, statements
  run       [--at TIME]                    compacts the window that ended last, and the sweep
  verify    WINDOW [--rows]                proves a window again, from S3 alone (20261124T1530Z)
  explain   KEY                            which commit consumed an object, or why none has yet
  backfill  --from TIME --to TIME [--concurrency N]
  roll-up   [--at TIME]                    makes the files of the last whole partition into one
  doctor                                   looks at rights, tables, workgroup, lifecycle rules, clock
  repair    [--apply]                      brings the catalogue in line with the commits
  collect-garbage [--apply]                deletes what died attempts left behind

  --config  a module that exports "compactor" (createCompactor), and for the last three "athena"; default compactor.config.mjs
  --json    one JSON document instead of text
  TIME is ISO 8601 with a zone, default now.`

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const known = { config: text, at: text, from: text, to: text, concurrency: text, rows: flag, apply: flag, json: flag, help: flag }

type Values = ReturnType<typeof parseArgs<{ options: typeof known; allowPositionals: true }>>['values']

/** Which options each command takes, besides --config and --json, and how many words. */
const commands: Readonly<Record<string, { readonly options: readonly string[]; readonly word?: string }>> = {
  plan: { options: ['at'] },
  run: { options: ['at'] },
  verify: { options: ['rows'], word: 'WINDOW' },
  explain: { options: [], word: 'KEY' },
  backfill: { options: ['from', 'to', 'concurrency'] },
  'roll-up': { options: ['at'] },
  doctor: { options: [] },
  repair: { options: ['apply'] },
  'collect-garbage': { options: ['apply'] },
}

/** Runs a command; returns whether all is well. */
async function run(name: string, words: readonly string[], values: Values): Promise<boolean> {
  const { compactor, ...clients } = await load(values.config)
  const { compaction } = compactor
  const line = drawProgress(process.stderr)
  const onProgress = line.update
  const at = timeOf('at', values.at ?? new Date().toISOString())
  const print = (result: unknown, summary: () => string) => {
    line.clear()
    console.log(
      values.json
        ? JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
        : summary(),
    )
  }
  try {
    switch (name) {
      case 'plan': {
        const plan = await compactor.plan({ at })
        print(plan, () => planText(plan))
        return true
      }
      case 'run': {
        const result = await compactor.run({ at, onProgress })
        print(result, () => [result, ...result.sweep].map(windowText).join('\n'))
        return result.remaining.length === 0 && result.outcome !== 'aborted'
      }
      case 'verify': {
        const report = await compactor.verify(words[0]!, { rows: values.rows ?? false })
        print(report, () =>
          report.ok
            ? `${report.window} holds: ${report.inputRows} rows in, ${report.outputRows} out, ${report.quarantinedRows} in quarantine${report.rowsCompared ? ', compared row by row' : ''}.`
            : report.discrepancies
                .map(({ seq, uri, what }) => `${report.window}-${seq}: ${uri === undefined ? '' : `${uri} `}${what}`)
                .join('\n'),
        )
        return report.ok
      }
      case 'explain': {
        const found = await compactor.explain(words[0]!)
        print(found, () => `${found.status}: ${found.text}`)
        return true
      }
      case 'backfill': {
        if (values.from === undefined || values.to === undefined) throw new ConfigError('backfill needs --from and --to.')
        const span = { from: timeOf('from', values.from), to: timeOf('to', values.to) }
        const concurrency = values.concurrency === undefined ? {} : { concurrency: Number(values.concurrency) }
        const result = await compactor.backfill({ ...span, ...concurrency, onProgress })
        print(result, () => [...result.results.map(windowText), `${result.windows} windows looked at`].join('\n'))
        return result.remaining.length === 0
      }
      case 'roll-up': {
        const result = await compactor.rollUp({ at, onProgress })
        print(
          result,
          () => `${result.partition} ${result.outcome}: ${result.filesBefore} files → ${result.filesAfter}, ${result.rows} rows`,
        )
        return true
      }
      case 'doctor': {
        const report = await doctor({ compaction, ...clients, usesAthenaEngine: compactor.engine.name === 'athena' })
        print(report, () =>
          report.findings
            .map(({ status, name: what, text: found, hint }) => `${status.padEnd(8)} ${what}: ${found} ${hint ?? ''}`)
            .join('\n'),
        )
        return report.ok
      }
      case 'repair': {
        const report = await repair({ compaction, ...withoutAthenaClient(clients), apply: values.apply ?? false })
        print(
          report,
          () =>
            `${applied(report.applied)}: ${report.added.length} partitions added, ${report.dropped.length} dropped, ${report.lists} lists, from ${report.commits} commits`,
        )
        return true
      }
      default: {
        const report = await collectGarbage({ compaction, ...withoutAthenaClient(clients), apply: values.apply ?? false })
        print(report, () =>
          [
            ...report.garbage.map(({ uri, why }) => `${uri}  ${why}`),
            `${applied(report.applied)}: ${report.objects} objects, ${report.bytes} bytes, ${report.tables.length} tables`,
          ].join('\n'),
        )
        return true
      }
    }
  } finally {
    line.clear()
    await compactor.close()
    await clients.athena?.close()
  }
}

const applied = (isApplied: boolean) => (isApplied ? 'done' : 'would be done (give --apply)')

function withoutAthenaClient({ athenaClient: _, ...clients }: Omit<Configuration, 'compactor'>) {
  return clients
}

function windowText(
  result: Awaited<ReturnType<Compactor['run']>> | Awaited<ReturnType<Compactor['backfill']>>['results'][number],
): string {
  const { window, outcome, files, inputRows, outputRows, quarantinedRows, reason } = result
  return `${window} ${outcome}: ${files} files, ${inputRows} rows in, ${outputRows} out, ${quarantinedRows} in quarantine${reason === undefined ? '' : ` (${reason})`}`
}

function planText({ windows, unplaced }: Awaited<ReturnType<Compactor['plan']>>): string {
  const lines = windows.flatMap(({ window, seq, mode, files, bytes, estimate, sql }) => [
    `${window}-${seq} ${mode}: ${files} files, ${bytes} bytes; about ${estimate.puts} PUT and LIST, ${estimate.gets} GET and HEAD, ${estimate.scannedBytes} bytes scanned, $${estimate.usd.toPrecision(3)}`,
    ...sql.map((statement) => `  ${statement.replaceAll('\n', '\n  ')}`),
  ])
  if (windows.length === 0) lines.push('Nothing to do.')
  if (unplaced.length > 0)
    lines.push(`${unplaced.length} objects belong to no window, for example ${unplaced[0]!.uri}: ${unplaced[0]!.reason}`)
  return lines.join('\n')
}

function timeOf(name: string, given: string): Date {
  const at = new Date(given)
  if (Number.isNaN(at.getTime()) || !/(?:Z|[+-]\d\d:?\d\d)$/.test(given)) {
    throw new ConfigError(`--${name} ${given} is no time.`, { hint: 'Write it as 2026-11-24T15:35:00Z.' })
  }
  return at
}

async function load(given: string | undefined): Promise<Configuration> {
  const file = resolve(given ?? 'compactor.config.mjs')
  if (!existsSync(file)) {
    throw new ConfigError(`There is no configuration ${file}.`, {
      hint: 'Give --config FILE, a module that exports "compactor".',
    })
  }
  let module: Partial<Configuration>
  try {
    module = (await import(pathToFileURL(file).href)) as Partial<Configuration>
  } catch (cause) {
    const isTypeScript = (cause as { code?: unknown }).code === 'ERR_UNKNOWN_FILE_EXTENSION'
    throw new ConfigError(`${file} cannot be loaded: ${(cause as Error).message}.`, {
      hint: isTypeScript
        ? "This Node cannot load TypeScript: build it, or set NODE_OPTIONS='--import tsx'."
        : 'Run it with node first.',
      cause,
    })
  }
  if (typeof module.compactor?.run !== 'function') {
    throw new ConfigError(`${file} does not export "compactor".`, {
      hint: 'Write: export const compactor = createCompactor({ compaction, engine, athena }).',
    })
  }
  const { compactor, athena, client, athenaClient } = module as Configuration
  return { compactor, ...(athena && { athena }), ...(client && { client }), ...(athenaClient && { athenaClient }) }
}

function parse(): { readonly name: string; readonly words: readonly string[]; readonly values: Values } | undefined {
  const { values, positionals } = parseArgs({ options: known, allowPositionals: true })
  const [name, ...words] = positionals
  if (values.help || name === undefined) return undefined
  const command = Object.hasOwn(commands, name) ? commands[name]! : undefined
  if (command === undefined)
    throw new ConfigError(`There is no command "${name}".`, { hint: `Commands: ${Object.keys(commands).join(', ')}.` })
  for (const option of Object.keys(values)) {
    if (!['config', 'json', ...command.options].includes(option)) throw new ConfigError(`${name} has no option --${option}.`)
  }
  const wanted = command.word === undefined ? 0 : 1
  if (words.length !== wanted) {
    throw new ConfigError(wanted === 0 ? `${name} takes no "${words[0]}".` : `${name} takes one ${command.word}.`)
  }
  return { name, words, values }
}

try {
  const parsed = parse()
  if (parsed === undefined) console.log(usage)
  else if (!(await run(parsed.name, parsed.words, parsed.values))) process.exitCode = 1
} catch (error) {
  console.error(PipeError.isInstance(error) || error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
