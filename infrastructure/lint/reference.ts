import type { Configuration, Resource } from '../hcl/configuration'

/** The resource that an expression such as `${aws_sqs_queue.work["invoice"].arn}` speaks of. */
export function referred({ resources }: Configuration, expression: unknown): Resource | undefined {
  const found = /^\$\{(\w+)\.([\w-]+)(?:\["([^"]*)"\])?\.\w+\}$/.exec(String(expression))
  if (!found) return undefined
  const [, type, name, key] = found
  return resources.find((one) => one.type === type && one.name === name && one.key === key)
}
