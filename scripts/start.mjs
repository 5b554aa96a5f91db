// npm start: the log pipeline on this machine (examples/log-pipeline).
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
// Ctrl-C reaches the child too, which closes cleanly; this process only waits for it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.exitCode = await runTypeScript('examples/log-pipeline/src/main.ts', process.argv.slice(2), { cwd: root })
