/** A statement of a policy as lists. */
export interface Statement {
  readonly sid: string | undefined
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

/** Statements that allow something. @throws SyntaxError for what is no JSON. */
export function readPolicy(text: string): readonly Statement[] {
  const { Statement } = JSON.parse(text) as { Statement: RawStatement | RawStatement[] }
  return [Statement]
    .flat()
    .filter(({ Effect }) => Effect === 'Allow')
    .map(({ Sid, Action, Resource = [] }) => ({ sid: Sid, actions: [Action].flat(), resources: [Resource].flat() }))
}

interface RawStatement {
  readonly Sid?: string
  readonly Effect: string
  readonly Action: string | string[]
  readonly Resource?: string | string[]
}
