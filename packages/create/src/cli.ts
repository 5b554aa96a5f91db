#!/usr/bin/env node
import { relative } from 'node:path'
import { PipeError } from '@pipe/core'
import { defineCommand, renderUsage, runCommand } from 'citty'
import { createProject } from './create-project'

const command = defineCommand({
  meta: { name: 'pipe-create', description: 'Makes a small log pipeline that runs and is tested on the local runtime' },
  args: { folder: { type: 'positional', required: true, description: 'Folder of the project, for instance my-pipeline' } },
  async run({ args, rawArgs }) {
    const unknown = rawArgs.find((arg) => arg.startsWith('-')) ?? args._[1]
    if (unknown !== undefined) throw new PipeError('PIPE_CONFIG', `"${unknown}" is not known here. Give one folder.`)
    const { folder, files } = await createProject({ folder: args.folder })
    const path = relative(process.cwd(), folder) || '.'
    console.log(`${files.map((file) => `  ${file}`).join('\n')}

${files.length} files in ${path}. Next:

  cd ${path}
  npm install
  npm start    # one hour of the pipeline on a virtual clock
  npm test     # the same, compared with the ground truth`)
  },
})

try {
  const rawArgs = process.argv.slice(2)
  if (rawArgs.includes('--help') || rawArgs.length === 0) console.log(await renderUsage(command))
  else await runCommand(command, { rawArgs })
  if (rawArgs.length === 0) process.exitCode = 1
} catch (error) {
  if (!PipeError.isInstance(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}
