import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { kafkaAvailability } from '../../src/index'
import { cachedJars } from '../../src/kafka/jar-cache'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-jar-cache-'))
  vi.stubEnv('CI', '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(dir, { recursive: true, force: true })
})

/** A program named mvn that notes each call and does what its body says (`jars` is the folder to fill). */
async function fakeMaven(body: string) {
  const bin = join(dir, 'bin')
  await mkdir(bin, { recursive: true })
  const program = `#!${process.execPath}
const fs = require('node:fs')
fs.appendFileSync(${JSON.stringify(join(dir, 'calls'))}, process.argv.slice(2).join(' ') + '\\n')
if (process.argv[2] !== '-v') { fs.mkdirSync('jars', { recursive: true }); ${body} }
`
  await writeFile(join(bin, 'mvn'), program)
  // A package.json further up must not make an ES module of it.
  await writeFile(join(bin, 'package.json'), '{ "type": "commonjs" }')
  await chmod(join(bin, 'mvn'), 0o755)
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env['PATH']}`)
}
const fetches = async () =>
  (await readFile(join(dir, 'calls'), 'utf8')).split('\n').filter((line) => line.includes('copy-dependencies'))
const twoJars = `fs.writeFileSync('jars/b.jar', 'bbb'); setTimeout(() => fs.writeFileSync('jars/a.jar', 'aa'), 300)`

test('fetched once, however many ask at the same time, with the pom of the version', async () => {
  await fakeMaven(twoJars)
  const folder = join(dir, 'cache', '4.4.0')
  const answers = await Promise.all([1, 2, 3].map(() => cachedJars(folder, '4.4.0')))
  expect(answers).toEqual([1, 2, 3].map(() => ['a.jar', 'b.jar']))
  expect(await fetches()).toHaveLength(1)
  expect(await cachedJars(folder, '4.4.0')).toEqual(['a.jar', 'b.jar'])
  expect(await fetches()).toHaveLength(1)
  const pom = await readFile(join(folder, 'pom.xml'), 'utf8')
  expect(pom).toContain('<artifactId>kafka_2.13</artifactId><version>4.4.0</version>')
  expect(pom).not.toMatch(/repositor|https?:\/\/(?!maven\.apache\.org\/POM)/)
  expect(await readdir(join(dir, 'cache'))).toEqual(['4.4.0'])
})

test.each(['shorter', 'missing', 'unfinished'])('a cache with a %s part is fetched again', async (damage) => {
  await fakeMaven(twoJars)
  const folder = join(dir, 'cache', '4.4.0')
  await cachedJars(folder, '4.4.0')
  if (damage === 'shorter') await truncate(join(folder, 'jars', 'a.jar'), 1)
  if (damage === 'missing') await rm(join(folder, 'jars', 'b.jar'))
  if (damage === 'unfinished') await rm(join(folder, 'complete.json'))
  expect(await cachedJars(folder, '4.4.0')).toEqual(['a.jar', 'b.jar'])
  expect(await fetches()).toHaveLength(2)
  expect(await readFile(join(folder, 'jars', 'a.jar'), 'utf8')).toBe('aa')
})

test('a failure names what Maven said, leaves no cache, and is remembered', async () => {
  await fakeMaven(`console.log('[INFO] noise'); console.log('[ERROR] Could not find artifact x:y'); process.exit(1)`)
  const folder = join(dir, 'cache', '4.4.0')
  const failure = /PIPE_TESTKIT_KAFKA_UNAVAILABLE mvn could not fetch Kafka 4\.4\.0: \[ERROR\] Could not find artifact x:y/
  await expect(cachedJars(folder, '4.4.0')).rejects.toThrow(failure)
  await expect(cachedJars(folder, '4.4.0')).rejects.toThrow(failure)
  expect(await fetches()).toHaveLength(1)
  expect(existsSync(folder)).toBe(false)
})

test('the lock of a process that is gone is taken over', async () => {
  await fakeMaven(twoJars)
  const folder = join(dir, 'cache', '4.4.0')
  await mkdir(dirname(folder))
  // Above the largest process id that Linux gives.
  await writeFile(`${folder}.lock`, '4194305')
  expect(await cachedJars(folder, '4.4.0')).toEqual(['a.jar', 'b.jar'])
  expect(existsSync(`${folder}.lock`)).toBe(false)
})

test('without mvn and without cache', async () => {
  vi.stubEnv('PATH', join(dir, 'nothing-here'))
  await expect(cachedJars(join(dir, 'cache', '4.4.0'), '4.4.0')).rejects.toThrow('mvn is not on the path')
})

test('availability says what is missing, for the title of a suite; under CI that is an error', async () => {
  vi.stubEnv('JAVA_HOME', join(dir, 'no-java'))
  const found = await kafkaAvailability()
  expect(found).toMatchObject({
    available: false,
    note: expect.stringMatching(/^ \(skipped: no Java: .*no-java.*\(not found\)\)$/),
  })
  vi.stubEnv('CI', 'true')
  await expect(kafkaAvailability()).rejects.toThrow(
    /PIPE_CONFIG Kafka 4\.4\.0 cannot be started, and CI may not skip it: no Java/,
  )
})

test.each([
  ['openjdk version "11.0.2" 2019-01-15', 'Java 11.0.2 is too old'],
  ['java version "1.8.0_292"', 'Java 1.8.0_292 is too old'],
  ['who knows', 'did not name a version'],
])('%s', async (answer, reason) => {
  const bin = join(dir, 'java-home', 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'java'), `#!${process.execPath}\nconsole.error(${JSON.stringify(answer)})\n`)
  await chmod(join(bin, 'java'), 0o755)
  vi.stubEnv('JAVA_HOME', join(dir, 'java-home'))
  expect(await kafkaAvailability()).toMatchObject({ available: false, reason: expect.stringContaining(reason) })
})

test('a version that is none is named', async () => {
  expect(await kafkaAvailability('3.9.0')).toMatchObject({
    available: false,
    reason: expect.stringContaining('"3.9.0" is not a version of Kafka 4'),
  })
})
