// npm run live-aws -- --bucket B --workgroup W [--brokers …]: what these packages rely on, asked of a real account.
import { root, runTypeScript, setUp } from './setup.mjs'

// Ctrl-C reaches the run as well; it cleans up and ends, and so does this.
process.on('SIGINT', () => {})
await setUp()
process.exitCode = await runTypeScript('live/run.ts', process.argv.slice(2), { cwd: root })
