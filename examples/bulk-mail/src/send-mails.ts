import { createObjectStore, readEnv } from '@pipe/core'
import { onSqs } from '@pipe/events'
import { mailOnce } from './mail-once'
import { smtpMailer } from './smtp-mailer'
import { user } from './user'

const { BUCKET, CAMPAIGN, SMTP_HOST, SMTP_PORT } = readEnv(['BUCKET', 'CAMPAIGN', 'SMTP_HOST', 'SMTP_PORT'])
const marks = createObjectStore({ location: `s3://${BUCKET}/marks/${CAMPAIGN}/` })
const mailer = smtpMailer({ host: SMTP_HOST, port: Number(SMTP_PORT), from: 'news@example.com' })

/** A batch of users: each gets its mail, or comes again. */
export const handler = onSqs({ body: user, concurrency: 5 }, async ({ body: { id, name, email } }, { signal }) => {
  const mail = { id: `${CAMPAIGN}-${id}`, to: email, subject: 'News', text: `Hello ${name},\nthis is what is new.` }
  const result = await mailOnce(mail, { mailer, marks, signal })
  if (result.outcome === 'failed') throw new Error(`${email}: ${result.reason}`)
})
