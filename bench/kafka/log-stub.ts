// Child process: a broker with a log that nobody had to write. Speaks with its parent.
import { type LogOptions, startLogBroker } from './log-broker'

/** What it says when it is asked. */
export interface LogStubAnswer {
  readonly committed: number
  readonly fetched: number
}

const broker = await startLogBroker(JSON.parse(process.argv[2]!) as LogOptions)

process.on('message', () => {
  const answer: LogStubAnswer = { committed: broker.committed(), fetched: broker.fetched() }
  process.send!(answer)
})
process.once('disconnect', () => process.exit(0))
process.send!([broker.address])
