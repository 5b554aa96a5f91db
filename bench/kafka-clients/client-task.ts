/** What a client is to do: write `messages` records with keys, read them all as a member of a group, commit, and leave. */
export interface ClientTask {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly messages: number
}

/** The task of a child process. */
export function taskOfProcess(): ClientTask {
  return JSON.parse(process.argv[2]!) as ClientTask
}

/** Tells the parent what was read, in the order of reading: `<partition>/<offset>` by value. */
export function reportRead(read: readonly string[]): void {
  console.log(JSON.stringify(read))
}

/** Key of a message; its value is the number. */
export function keyOf(number: number): string {
  return `k${number % 17}`
}
