// npm start: the log pipeline on this machine.
import { mkdir, writeFile } from 'node:fs/promises'
import { PipeError } from '@pipe/core'
import { type Arguments, readArguments, usage } from './arguments'
import { play } from './play'
import { type Answers, askBoth, printFindings } from './print'
import { createProgress } from './progress'
import { reportPage } from './report-page'
import { serve } from './serve'

/** Runs what the command line asks for; resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv)
  if (args === 'help') {
    console.log(usage)
    return 0
  }
  return args.mode === 'serve' ? serve(args) : playAndReport(args)
}

async function playAndReport(args: Arguments): Promise<number> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort(new PipeError('EXAMPLE_STOPPED', 'Stopped by Ctrl-C.')))
  const stream = args.mode === 'play' ? ';\nthe same readings through three Kafka brokers' : ''
  console.log(
    `The log pipeline: ${told(args)},\na file each ${args.tick}, compacted each ${args.window} by the ${args.engine} engine${stream}.\n`,
  )
  let answers: Answers | undefined
  const findings = await play({
    ...args,
    fleet: args.mode === 'day' ? 'day' : 'hour',
    kafka: args.mode === 'play',
    progress: createProgress(),
    signal: stop.signal,
    afterwards: async (clients, found) => {
      answers = await askBoth(clients, found)
    },
  })
  printFindings(findings)
  await mkdir('out', { recursive: true })
  await writeFile('out/report.json', `${JSON.stringify(findings.report, null, 2)}\n`)
  await writeFile('out/report.html', reportPage(findings, answers))
  console.log('\nout/report.json has the numbers, out/report.html shows them.')
  if (findings.broken.length === 0) {
    console.log('Nothing lost, nothing counted twice.')
    return 0
  }
  console.error(`\nThe run is NOT in order:\n${findings.broken.map((sentence) => `  - ${sentence}`).join('\n')}`)
  return 1
}

function told({ mode, input }: Arguments): string {
  if (mode === 'day') return 'one day of 100 devices on a virtual clock, with missing and doubled triggers'
  return input === undefined ? 'one hour of 25 devices on a virtual clock' : `the recorded series of ${input}`
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // A PipeError says what, where and what to do; anything else is a defect and shows its stack.
  console.error(PipeError.isInstance(error) ? `\n${error.message}` : error)
  process.exitCode = 1
}
