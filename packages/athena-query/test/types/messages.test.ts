// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the mistakes are code in texts

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'

// What a user reads when types do not fit is part of the interface: it is recorded in messages.txt.
const here = dirname(fileURLToPath(import.meta.url))

const prelude = `import { column, defineTable } from '@pipe/core'
import { createAthena, sql } from '../../src/index'
const logs = defineTable('logs', { columns: { at: column.timestamp(), metric: column.double() } })
const athena = createAthena()
const returns = { name: column.string(), n: column.bigint(), mean: column.double().nullable() }
const row = (await athena.query(sql\`SELECT 1\`, { returns }).first())!
`

/** Typical mistakes, a line each. */
const mistakes: Readonly<Record<string, string>> = {
  'a column that was not declared': 'row.nmae',
  'a NULL that is forgotten': 'row.mean.toFixed(2)',
  'a bigint taken for a number': 'const count: number = row.n',
  'no returns': 'athena.query(sql`SELECT 1`, {})',
  'a type by its name': "athena.query(sql`SELECT 1`, { returns: { n: 'bigint' } })",
  'a statement as text': "athena.query('SELECT 1', { returns })",
  'undefined as a value': 'sql`SELECT ${undefined}`',
  'an object as a value': 'sql`SELECT ${{ a: 1 }}`',
  'a duration without a unit': "athena.execute('SELECT 1', { timeout: 1000 })",
  'an unknown route': "athena.query(sql`SELECT 1`, { returns, route: 'csv' })",
  'another type in a row': "athena.insert({ table: logs, rows: [{ at: new Date(), metric: '1' }], at: new Date() })",
  'a row without a column': 'athena.insert({ table: logs, rows: [{ at: new Date() }], at: new Date() })',
}

/** What the compiler says to each line, `undefined` where it says nothing. */
function messages(lines: readonly string[]): (string | undefined)[] {
  const file = join(here, 'mistakes.ts')
  const text = `${prelude}${lines.join('\n')}\n`
  const config = ts.readConfigFile(join(here, '../../../../tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, join(here, '../../../..'))
  const host = ts.createCompilerHost({ ...options, noEmit: true })
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => name === file || fileExists(name)
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...rest)
  const program = ts.createProgram([file], { ...options, noEmit: true, noUnusedLocals: false }, host)
  const source = program.getSourceFile(file)!
  const found = new Map<number, string>()
  for (const { start = 0, messageText } of program.getSemanticDiagnostics(source)) {
    const { line } = source.getLineAndCharacterOfPosition(start)
    if (!found.has(line)) found.set(line, ts.flattenDiagnosticMessageText(messageText, '\n'))
  }
  const first = prelude.split('\n').length - 1
  const before = [...found].filter(([line]) => line < first)
  expect(before).toEqual([])
  return lines.map((_, i) => found.get(first + i))
}

it('typical mistakes do not compile, and the compiler says why in less than three lines', async () => {
  const said = messages(Object.values(mistakes))
  for (const message of said) expect(message?.split('\n').length ?? 9).toBeLessThan(3)
  const record = Object.entries(mistakes).map(([name, code], i) => `${name}\n  ${code}\n${said[i]!.replaceAll(/^/gm, '    ')}\n`)
  await expect(record.join('\n')).toMatchFileSnapshot('messages.txt')
})
