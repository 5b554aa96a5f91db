import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** What the sink does with a mail to an address: 0 is the first try. */
export type SinkVerdict = 'accept' | 'busy' | 'unknown-user' | 'accept-and-hang-up'

/** A mail server that keeps what it is sent, and fails as it is told. */
export interface SmtpSink {
  readonly port: number
  /** How often each address got a mail. */
  readonly mails: ReadonlyMap<string, number>
  close(): Promise<void>
}

/** Listens on the loopback interface. */
export async function startSmtpSink(verdictOf: (address: string, attempt: number) => SinkVerdict): Promise<SmtpSink> {
  const mails = new Map<string, number>()
  const attempts = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A client that goes away is its own business.
    socket.on('error', () => {})
    void talk(
      socket,
      (address) => {
        const attempt = attempts.get(address) ?? 0
        attempts.set(address, attempt + 1)
        return verdictOf(address, attempt)
      },
      (address) => mails.set(address, (mails.get(address) ?? 0) + 1),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    mails,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function talk(socket: Socket, judge: (address: string) => SinkVerdict, keep: (address: string) => void): Promise<void> {
  const say = (line: string) => socket.write(`${line}\r\n`)
  let [address, isText] = ['', false]
  let verdict: SinkVerdict = 'accept'
  say('220 sink')
  for await (const line of createInterface({ input: socket })) {
    if (isText) {
      if (line !== '.') continue
      isText = false
      keep(address)
      if (verdict === 'accept-and-hang-up') return void socket.destroy()
      say('250 kept')
    } else if (line.startsWith('RCPT TO:')) {
      address = /<(.*)>/.exec(line)![1]!
      verdict = judge(address)
      say(verdict === 'busy' ? '451 try again later' : verdict === 'unknown-user' ? '550 no such user' : '250 ok')
    } else if (line === 'DATA') {
      isText = true
      say('354 go on')
    } else say('250 ok')
  }
}
