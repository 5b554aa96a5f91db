import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

const s3 = new S3Client({})

/** Writes one object whose key is the time of the event. */
export const handler = async (event: { readonly time: string }): Promise<unknown> => {
  const key = `raw/${event.time}.json`
  await s3.send(new PutObjectCommand({ Bucket: process.env['BUCKET'], Key: key, Body: JSON.stringify(event) }))
  return { statusCode: 200, body: JSON.stringify({ key }) }
}
