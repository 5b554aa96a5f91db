import { parse } from '@cdktn/hcl2json'

/** What expressions may refer to. */
export interface Scope {
  readonly variables: Readonly<Record<string, unknown>>
  readonly locals: Readonly<Record<string, unknown>>
  readonly each?: { readonly key: string; readonly value: unknown } | undefined
}

/** Works out what is known before a plan; what is not stays as the text `${…}`. */
export async function evaluate(value: unknown, scope: Scope): Promise<unknown> {
  if (typeof value === 'string') return evaluateText(value, scope)
  if (Array.isArray(value)) return Promise.all(value.map((item) => evaluate(item, scope)))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(async ([key, item]) => [key, await evaluate(item, scope)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

async function evaluateText(text: string, scope: Scope): Promise<unknown> {
  const whole = /^\$\{([\s\S]*)\}$/.exec(text)?.[1]
  if (whole !== undefined && isOne(whole)) return evaluateExpression(whole, scope)
  return text.replace(/\$\{([^{}]*)\}/g, (found, expression: string) => {
    const value = lookUp(expression.trim(), scope)
    return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : withKey(found, scope)
  })
}

/** Whether a text between `${` and `}` is one expression, not the middle of `${a}-${b}`. */
function isOne(text: string): boolean {
  let depth = 0
  for (const letter of text) {
    if (letter === '{') depth++
    if (letter === '}' && --depth < 0) return false
  }
  return depth === 0
}

async function evaluateExpression(expression: string, scope: Scope): Promise<unknown> {
  const call = /^(jsonencode|toset|tostring)\(([\s\S]*)\)$/.exec(expression.trim())
  if (call) {
    const argument = await evaluate(await parsed(call[2]!), scope)
    return call[1] === 'jsonencode' ? JSON.stringify(argument) : argument
  }
  const value = lookUp(expression.trim(), scope)
  return value === undefined ? withKey(`\${${expression}}`, scope) : value
}

/** An expression as hcl2json reads it when it is an attribute. */
async function parsed(expression: string): Promise<unknown> {
  const { locals } = (await parse('expression.tf', `locals {\n  it = ${expression}\n}\n`)) as { locals: [{ it: unknown }] }
  return locals[0].it
}

function lookUp(path: string, { variables, locals, each }: Scope): unknown {
  if (!/^[\w-]+(\.[\w-]+)+$/.test(path)) return undefined
  const [root, ...names] = path.split('.') as [string, ...string[]]
  const roots: Record<string, unknown> = { var: variables, local: locals, each }
  return names.reduce((value: unknown, name) => (value as Record<string, unknown> | undefined)?.[name], roots[root])
}

function withKey(text: string, { each }: Scope): string {
  return each ? text.replace(/\beach\.key\b/g, JSON.stringify(each.key)) : text
}
