import type { ObjectRecord, Retention } from './object-record'
import { type ObjectShape, oneOf, optional, required, type Shape } from './xml-shape'

const dayMs = 86_400_000
/** Kinds of retention. */
export const lockModes: Shape = oneOf('GOVERNANCE', 'COMPLIANCE')

/** Form of {@link ObjectLockDocument}. */
export const objectLockShape: ObjectShape = {
  ObjectLockEnabled: required(oneOf('Enabled')),
  Rule: optional({
    DefaultRetention: required({ Mode: required(lockModes), Days: optional('integer'), Years: optional('integer') }),
  }),
}

/** `<ObjectLockConfiguration>` */
export interface ObjectLockDocument {
  readonly ObjectLockEnabled: 'Enabled'
  readonly Rule?: {
    readonly DefaultRetention: { readonly Mode: Retention['mode']; readonly Days?: number; readonly Years?: number }
  }
}

/** The retention that an object gets which names none. */
export function defaultRetention({ Rule }: ObjectLockDocument, from: number): Retention | undefined {
  if (!Rule) return undefined
  const { Mode, Days = 0, Years = 0 } = Rule.DefaultRetention
  return { mode: Mode, until: from + (Days + 365 * Years) * dayMs }
}

/** Whether a version may not be deleted: under a legal hold, or retained. */
export function isLocked({ legalHold, retention }: ObjectRecord, now: number): boolean {
  return legalHold === true || (retention !== undefined && retention.until > now)
}

/** The headers that tell of a lock. */
export function lockHeaders({ legalHold, retention }: ObjectRecord): Readonly<Record<string, string>> {
  return {
    ...(retention && {
      'x-amz-object-lock-mode': retention.mode,
      'x-amz-object-lock-retain-until-date': new Date(retention.until).toISOString(),
    }),
    ...(legalHold && { 'x-amz-object-lock-legal-hold': 'ON' }),
  }
}
