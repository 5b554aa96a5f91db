import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Mail, Mailer, MailOutcome } from './mailer'

/** What a server answered to a command, or that it is gone. */
interface Reply {
  readonly code: number
  readonly text: string
}

/** Sends each mail over a connection of its own (RFC 5321). From when the end of the text is sent, a broken connection leaves the outcome unknown. */
export function smtpMailer({
  host,
  port,
  from,
}: {
  readonly host: string
  readonly port: number
  readonly from: string
}): Mailer {
  return {
    async send(mail, signal) {
      let isHandedOver = false
      try {
        const { command, close } = await open(host, port, signal)
        try {
          for (const line of ['EHLO pipe', `MAIL FROM:<${from}>`, `RCPT TO:<${address(mail.to)}>`, 'DATA']) {
            const refusal = outcomeOf(await command(line), line === 'DATA' ? 354 : 250)
            if (refusal) return refusal
          }
          isHandedOver = true
          return outcomeOf(await command(textOf(mail, from)), 250) ?? { outcome: 'sent' }
        } finally {
          close()
        }
      } catch (error) {
        return { outcome: isHandedOver ? 'unknown' : 'failed', reason: (error as Error).message }
      }
    },
  }
}

function outcomeOf({ code, text }: Reply, wanted: number): MailOutcome | undefined {
  if (code === wanted) return undefined
  return { outcome: code >= 500 ? 'refused' : 'failed', reason: `${code} ${text}` }
}

/** An address ends no command. */
function address(text: string): string {
  if (/[\r\n<>\s]/.test(text)) throw new Error(`"${text}" is no address`)
  return text
}

function textOf({ id, to, subject, text }: Mail, from: string): string {
  const body = text.replaceAll(/\r?\n/g, '\r\n').replaceAll(/^\./gm, '..')
  return `Message-ID: <${id}>\r\nFrom: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n${body}\r\n.`
}

async function open(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<{ command(line: string): Promise<Reply>; close(): void }> {
  signal.throwIfAborted()
  const socket: Socket = connect({ host, port })
  const abort = () => socket.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  const gone = new Promise<never>((_resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
  })
  // Whoever waits for a reply hears of it; nobody may be waiting.
  gone.catch(() => {})
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const reply = async (): Promise<Reply> => {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), gone])
      if (done) throw new Error('the connection was closed')
      const match = /^(\d{3})([ -])(.*)$/.exec(value as string)
      if (match?.[2] === ' ') return { code: Number(match[1]), text: match[3]! }
    }
  }
  await reply()
  return {
    command(line) {
      socket.write(`${line}\r\n`)
      return reply()
    },
    close() {
      signal.removeEventListener('abort', abort)
      socket.destroy()
    },
  }
}
