import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { addPartitionsDdl, type S3Location } from '@pipe/core'
import { listKeys } from './listing'
import { places } from './places'

/** What a sabotage may touch. */
export interface SabotageContext {
  readonly s3: S3Client
  readonly athena: Athena
}

/** Damage done to a run on purpose, to show that the check at the end sees it. */
export interface Sabotage {
  readonly name: string
  /** When it strikes: after so many minutes of the run, or after everything has been committed. */
  readonly when: { readonly minute: number } | 'end'
  /** Does it; says what it did. */
  strike(context: SabotageContext): Promise<string>
}

export const sabotages: readonly Sabotage[] = [
  {
    name: 'drop-one-object',
    when: { minute: 8 },
    async strike({ s3 }) {
      const key = (await listKeys(s3, places.raw)).at(-1)!
      await s3.send(new DeleteObjectCommand({ Bucket: places.bucket, Key: key }))
      return `deleted the raw object ${key} before it was compacted`
    },
  },
  {
    name: 'lose-compacted-file',
    when: 'end',
    async strike({ s3 }) {
      const key = (await compactedFiles(s3))[1]!
      await s3.send(new DeleteObjectCommand({ Bucket: places.bucket, Key: key }))
      return `deleted the committed file ${key}`
    },
  },
  {
    name: 'publish-twice',
    when: 'end',
    async strike({ s3, athena }) {
      const key = (await compactedFiles(s3))[2]!
      const location: S3Location = `s3://${places.bucket}/${key.slice(0, key.lastIndexOf('/') + 1)}`
      const values = { dt: '2026-11-24', hour: '15', batch: 'sabotage' }
      await athena.execute(addPartitionsDdl({ database: places.database, name: places.compactedTable }, [{ values, location }]))
      return `published ${location} a second time`
    },
  },
  {
    name: 'lose-stream-file',
    when: 'end',
    async strike({ s3 }) {
      const key = (await listKeys(s3, places.stream)).find((key) => !key.startsWith(`${places.stream}_`))!
      await s3.send(new DeleteObjectCommand({ Bucket: places.bucket, Key: key }))
      return `deleted ${key}, a stored part of the stream`
    },
  },
]

async function compactedFiles(s3: S3Client): Promise<string[]> {
  return (await listKeys(s3, places.compacted)).filter((key) => key.includes('/data/'))
}
