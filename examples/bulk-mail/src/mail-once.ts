import type { ObjectStore } from '@pipe/core'
import type { Mail, Mailer, MailOutcome } from './mailer'

/**
 * Sends a mail at most once: a mark that can be made once only is set before, and taken away when the mail was certainly not sent. A mark whose mail may
 * or may not have gone out stays, with the reason, for somebody to look at: a mail twice is worse than a mail that is looked for.
 *
 * @returns `repeated` when the mark was there already.
 */
export async function mailOnce(
  mail: Mail,
  {
    mailer,
    marks,
    signal,
  }: {
    readonly mailer: Mailer
    readonly marks: Pick<ObjectStore, 'putIfAbsent' | 'put' | 'delete'>
    readonly signal: AbortSignal
  },
): Promise<MailOutcome | { readonly outcome: 'repeated' }> {
  const key = `${mail.id}.json`
  const mark = await marks.putIfAbsent(key, JSON.stringify({ to: mail.to, outcome: 'begun' }), { signal })
  if (mark.outcome === 'exists') return { outcome: 'repeated' }
  const result = await mailer.send(mail, signal)
  if (result.outcome === 'failed') await marks.delete(key)
  else await marks.put(key, JSON.stringify({ to: mail.to, ...result }))
  return result
}
