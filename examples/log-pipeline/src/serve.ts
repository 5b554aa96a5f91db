import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@pipe/athena-query'
import type { S3Location } from '@pipe/core'
import { startLocal } from '@pipe/local'
import type { Arguments } from './arguments'
import { deploy } from './deploy'
import { places } from './places'

/** Lists the bucket with nothing but Node and the SDK of this repository. */
const listing = `node --input-type=module -e "import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'; console.table((await new S3Client({ forcePathStyle: true }).send(new ListObjectsV2Command({ Bucket: '${places.bucket}' }))).Contents, ['Key', 'Size'])"`

/** Keeps the pipeline running on the real clock until Ctrl-C; resolves to the exit code. */
export async function serve({ engine, tick, window }: Arguments): Promise<number> {
  await using local = await startLocal()
  const s3 = new S3Client(local.aws)
  const client = new AthenaClient(local.aws)
  const output: S3Location = `s3://${places.bucket}/${places.results}`
  const athena = createAthena({ database: places.database, output, client })
  await deploy(local, { s3, athena }, { engine, tick, window })
  console.log(`The log pipeline is running: a raw file each ${tick}, a compacted file each ${window}. Ctrl-C ends it.

${Object.entries(local.env)
  .map(([name, value]) => `export ${name}=${value}`)
  .join('\n')}

Try, in another terminal with these variables (the first needs only Node, from this folder):
  ${listing}
  aws s3 ls --recursive s3://${places.bucket}/${places.raw}
  aws athena start-query-execution --query-string 'SELECT count(*) FROM ${places.database}.${places.compactedTable}' --result-configuration OutputLocation=${output}
`)
  let reported = 0
  const watch = setInterval(() => {
    for (const failure of local.events.failures.slice(reported)) console.error(`${failure.functionName}: ${failure.message}`)
    reported = local.events.failures.length
  }, 1000)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  clearInterval(watch)
  console.log('\nClosing …')
  await athena.close()
  client.destroy()
  s3.destroy()
  return 0
}
