/** How a rule of AWS is known. */
export type Evidence =
  /** AWS's own answer was recorded, word for word. */
  | 'recorded'
  /** It stands in the API reference or the user guide; the text is taken from there or is ours. */
  | 'documented'
  /** It follows from recorded answers to the nearest mistake; code and text may differ on AWS. */
  | 'inferred'

/** One thing that is wrong or doubtful in a configuration. */
export interface Finding {
  /** `error`: AWS rejects it. `warning`: AWS takes it, but it may not do what was meant. */
  readonly severity: 'error' | 'warning'
  /** AWS's error code (`MalformedXML`, `InvalidArgument`, `InvalidRequest`); of warnings, the kind of doubt. */
  readonly code: string
  /** AWS's text where it is known. */
  readonly message: string
  /** Where: `Rules[0].Expiration.Days`. Empty: the whole. */
  readonly path: string
  readonly evidence: Evidence
  /** Where the rule is written or recorded. */
  readonly source: string
}

/** S3's text for everything that its schema does not allow. */
export const malformed = 'The XML you provided was not well-formed or did not validate against our published schema'

/** Collects findings. */
export interface Findings {
  readonly list: Finding[]
  error(path: string, code: string, message: string, evidence: Evidence, source: string): void
  warning(path: string, code: string, message: string, source: string): void
}

/** An empty collection. */
export function createFindings(): Findings {
  const list: Finding[] = []
  return {
    list,
    error: (path, code, message, evidence, source) => list.push({ severity: 'error', code, message, path, evidence, source }),
    warning: (path, code, message, source) =>
      list.push({ severity: 'warning', code, message, path, evidence: 'documented', source }),
  }
}

/** Sources that several rules have. */
export const sources = {
  api: 'S3 API reference, PutBucketLifecycleConfiguration',
  elements: 'S3 user guide, Lifecycle configuration elements',
  transitions: 'S3 user guide, Transitioning objects using S3 Lifecycle',
  conflicts: 'S3 user guide, Conflicting lifecycle actions',
  filters: 'S3 user guide, Adding filters to Lifecycle rules',
  localstack: 'LocalStack snapshot recorded on AWS, test_s3.snapshot.json (2026-02-21)',
  ceph: 'ceph s3-tests, expected to pass on AWS',
} as const

/** Refuses keys that the API does not have. The SDK drops them silently: a misspelt filter would become the whole bucket. */
export function checkKeys(findings: Findings, path: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key) || (value as Record<string, unknown>)[key] === undefined) continue
    findings.error(
      path === '' ? key : `${path}.${key}`,
      'MalformedXML',
      `${malformed} (there is no element ${key} here; known: ${known.join(', ')})`,
      'documented',
      sources.api,
    )
  }
}

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
