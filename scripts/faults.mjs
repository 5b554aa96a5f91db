// npm run faults [-- --seeds N …]: Kafka accidents on a real cluster, and what became of every record.
import { root, runTypeScript, setUp } from './setup.mjs'

// Ctrl-C reaches the suite as well; it closes its cluster and ends, and so does this.
process.on('SIGINT', () => {})
await setUp()
process.exitCode = await runTypeScript('faults/run.ts', process.argv.slice(2), { cwd: root })
